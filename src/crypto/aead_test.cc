#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace enclave::crypto {
namespace {

std::string unhex(std::string_view text) { return from_hex(text).value(); }

Aead::Nonce nonce_of(std::string_view hex) {
  const std::string bytes = unhex(hex);
  Aead::Nonce nonce;
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

struct Vector {
  Cipher cipher;
  const char* key;
  const char* nonce;
  const char* associated;
  std::string plain;
  const char* sealed;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16; RFC 8439 section 2.8.2.
std::vector<Vector> published() {
  return {
      {Cipher::aes_256_gcm, "0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {Cipher::aes_256_gcm, "0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "", std::string(16, '\0'),
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
      {Cipher::aes_256_gcm, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
       "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
       "76fc6ece0f4e1768cddf8853bb2d551b"},
      {Cipher::chacha20_poly1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
       "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
       "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
       "it.",
       "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
       "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
       "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"},
  };
}

TEST(Aead, GivesThePublishedCiphertexts) {
  for (const auto& v : published()) {
    Aead aead(v.cipher, Secret(unhex(v.key)));
    const std::string associated = unhex(v.associated);
    std::string sealed = "before ";
    aead.seal(nonce_of(v.nonce), associated, v.plain, sealed);
    EXPECT_EQ(to_hex(sealed.substr(7)), v.sealed);
    std::string tail = "before " + v.plain;
    aead.seal_tail(nonce_of(v.nonce), associated, tail, 7);
    EXPECT_EQ(tail, sealed);
    std::string plain = "before ";
    ASSERT_TRUE(aead.open(nonce_of(v.nonce), associated, unhex(v.sealed), plain).has_value());
    EXPECT_EQ(plain, "before " + v.plain);
  }
}

TEST(Aead, OpensNothingOfWhatWasChangedAndStaysUsable) {
  for (const auto& v : published()) {
    Aead aead(v.cipher, Secret(unhex(v.key)));
    const std::string associated = unhex(v.associated);
    const std::string sealed = unhex(v.sealed);
    const auto refused = [&](const Aead::Nonce& nonce, std::string_view data, std::string_view bytes) {
      std::string out = "kept";
      const auto opened = aead.open(nonce, data, bytes, out);
      return !opened && opened.error().fault() == Fault::corrupt && out == "kept";
    };
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      std::string changed = sealed;
      changed[i] ^= 1;
      EXPECT_TRUE(refused(nonce_of(v.nonce), associated, changed)) << i;
      EXPECT_TRUE(refused(nonce_of(v.nonce), associated, sealed.substr(0, i))) << i;
    }
    auto other = nonce_of(v.nonce);
    other[0] ^= 1;
    EXPECT_TRUE(refused(other, associated, sealed));
    EXPECT_TRUE(refused(nonce_of(v.nonce), associated + "x", sealed));
    std::string plain;
    EXPECT_TRUE(aead.open(nonce_of(v.nonce), associated, sealed, plain).has_value());
    EXPECT_EQ(plain, v.plain);
  }
}

TEST(Aead, ManyMessagesUnderOneContextAreEachTheirOwn) {
  Aead aead(Cipher::aes_256_gcm, Secret(std::string(32, 'k')));
  Aead::Nonce nonce{};
  for (unsigned char i = 0; i < 50; ++i) {
    nonce[0] = i;
    const std::string plain(i * 31, static_cast<char>(i));
    std::string kept;
    std::string fresh;
    aead.seal(nonce, "data", plain, kept);
    Aead(Cipher::aes_256_gcm, Secret(std::string(32, 'k'))).seal(nonce, "data", plain, fresh);
    EXPECT_EQ(kept, fresh);
  }
}

// RFC 5869 appendix A, test cases 1 to 3.
TEST(Hkdf, GivesThePublishedKeys) {
  const auto derive = [](const std::string& key, std::string_view salt, std::string_view info, std::size_t bytes) {
    return to_hex(hkdf_sha256(Secret(key), salt, info, bytes).reveal());
  };
  EXPECT_EQ(derive(std::string(22, '\x0b'), unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9"), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  const auto range = [](int from, int to) {
    std::string bytes;
    for (int i = from; i <= to; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
  };
  EXPECT_EQ(derive(range(0x00, 0x4f), range(0x60, 0xaf), range(0xb0, 0xff), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(derive(std::string(22, '\x0b'), "", "", 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

// RFC 4231 test cases 1, 2 and 6 (a key longer than a block).
TEST(Hmac, GivesThePublishedValues) {
  EXPECT_EQ(to_hex(bytes_of(hmac_sha256(std::string(20, '\x0b'), "Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(bytes_of(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      to_hex(bytes_of(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"))),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace enclave::crypto
