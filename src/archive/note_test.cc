#include "archive/note.h"

#include <gmock/gmock.h>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

// The example of the signed-note format's first implementation (golang.org/x/mod/sumdb/note).
const std::string kVkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kSeed = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const std::string kText =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const std::string kSignature =
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const std::string kNote = kText + "\n" + kSignature;

crypto::Ed25519PrivateKey published_key() {
  return crypto::Ed25519PrivateKey::from_seed(crypto::Secret(from_base64(kSeed).value().substr(1))).value();
}

TEST(NoteVerifier, ReadsAndWritesThePublishedKey) {
  const NoteVerifier verifier = NoteVerifier::parse(kVkey).value();
  EXPECT_EQ(verifier.name, "PeterNeumann");
  EXPECT_EQ(verifier.key_hash, 0xc74f20a3U);
  EXPECT_EQ(verifier.text(), kVkey);
  EXPECT_EQ(verifier, NoteVerifier::of("PeterNeumann", published_key().public_key()));
}

TEST(NoteVerifier, RefusesEveryMangledKey) {
  for (std::size_t i = 0; i <= kVkey.size(); ++i)
    for (std::size_t j = i + 1; j <= kVkey.size(); ++j)
      ASSERT_EQ(NoteVerifier::parse(kVkey.substr(i, j - i)).has_value(), i == 0 && j == kVkey.size()) << i << " " << j;
  for (std::size_t i = 0; i < kVkey.size(); ++i) {
    std::string changed = kVkey;
    ++changed[i];
    EXPECT_FALSE(NoteVerifier::parse(changed)) << changed;
  }
  EXPECT_FALSE(NoteVerifier::parse("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="));
  EXPECT_FALSE(NoteVerifier::parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
}

TEST(Note, ThePublishedNoteVerifiesAndIsSignedByteForByte) {
  const Note note = Note::parse(kNote).value();
  EXPECT_EQ(note.text, kText);
  EXPECT_TRUE(note.verified_by(NoteVerifier::parse(kVkey).value()));
  EXPECT_EQ(note.format(), kNote);
  Note signed_again{kText, {}};
  signed_again.sign("PeterNeumann", published_key());
  EXPECT_EQ(signed_again.format(), kNote);
}

TEST(Note, RefusesWhatIsMalformed) {
  const std::string line = kSignature.substr(0, kSignature.size() - 1);
  const std::string sixteen = "\u2014 PeterNeumann x08goA==\n";
  const std::string bad[] = {
      "",
      "\n",
      "\n\n",
      kText,
      kText + "\n",
      kText + "\n" + line,
      kText + kSignature,
      "\x01" + kNote,
      "\xff" + kNote,
      "a\tb\n\n" + kSignature,
      kText + "\n" + kSignature + "Unexpected line.\n",
      kText + "\n" + kSignature + "\n",
      kText + "\n\u2014 Bad Name " + line.substr(line.rfind(' ') + 1) + "\n",
      kText + "\n\u2014 Bad\u00a0Name " + line.substr(line.rfind(' ') + 1) + "\n",
      kText + "\n\u2014 Bad+Name " + line.substr(line.rfind(' ') + 1) + "\n",
      kText + "\n\u2014  " + line.substr(line.rfind(' ') + 1) + "\n",
      kText + "\n- PeterNeumann " + line.substr(line.rfind(' ') + 1) + "\n",
      kText + "\n\u2014 PeterNeumann\n",
      kText + "\n\u2014 PeterNeumann \n",
      kText + "\n\u2014 PeterNeumann x08gow==\n",
      kText + "\n\u2014 PeterNeumann x08go/ZJkuB\n",
      kText + "\n" + line + " \n",
      kText + "\n" + line + "\r\n",
      std::string(2 << 20, 'a') + "\n\n" + kSignature,
  };
  for (const auto& each : bad) {
    const auto parsed = Note::parse(each);
    ASSERT_FALSE(parsed) << each.substr(0, 300);
    EXPECT_EQ(parsed.error().fault(), Fault::corrupt);
  }
}

TEST(Note, KeepsSignaturesOfUnknownKeysAndPassesOverThem) {
  const std::string foreign = "\u2014 witness.example/w1 AAAAAAE=\n";
  const std::string text = kText + "\n" + foreign + kSignature;
  const Note note = Note::parse(text).value();
  EXPECT_EQ(note.signatures.size(), 2U);
  EXPECT_EQ(note.format(), text);
  EXPECT_TRUE(note.verified_by(NoteVerifier::parse(kVkey).value()));
  EXPECT_FALSE(note.verified_by(NoteVerifier::of("witness.example/w1", published_key().public_key())));
}

TEST(Note, IsRefusedWhenOneSignatureOfAKnownKeyIsBad) {
  const NoteVerifier verifier = NoteVerifier::parse(kVkey).value();
  std::string corrupted = kSignature;
  corrupted.replace(corrupted.find("BwJnAM="), 7, "BwJnBM=");
  EXPECT_FALSE(Note::parse(kText + "\n" + corrupted).value().verified_by(verifier));
  EXPECT_FALSE(Note::parse(kText + "\n" + corrupted + kSignature).value().verified_by(verifier));
  EXPECT_FALSE(Note::parse("x" + kNote).value().verified_by(verifier));
  EXPECT_FALSE(Note::parse(kText + "\n\u2014 PeterNeumann x08go/Y=\n").value().verified_by(verifier));
}

TEST(Note, TakesAHundredSignaturesAndNoMore) {
  std::string note = kText + "\n";
  for (int i = 0; i < 100; ++i) note += kSignature;
  EXPECT_TRUE(Note::parse(note));
  EXPECT_FALSE(Note::parse(note + kSignature));
}

TEST(Note, SplitsAtTheLastEmptyLine) {
  const Note note = Note::parse("a\n\nb\n\n" + kSignature).value();
  EXPECT_EQ(note.text, "a\n\nb\n");
}

TEST(Checkpoint, GoesToTextAndBack) {
  Checkpoint checkpoint{"ec528/vm-1/g1", (1ULL << 63) - 1, crypto::sha256("x"), {"extension 1", "extension 2"}};
  const auto parsed = Checkpoint::parse(checkpoint.text());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, checkpoint);
  checkpoint.extensions.clear();
  checkpoint.size = 0;
  EXPECT_EQ(checkpoint.text(), "ec528/vm-1/g1\n0\n" + to_base64(bytes_of(checkpoint.root)) + "\n");
  EXPECT_EQ(Checkpoint::parse(checkpoint.text()).value(), checkpoint);
}

TEST(Checkpoint, RefusesWhatDeviates) {
  const std::string root = to_base64(bytes_of(crypto::sha256("x")));
  const std::string bad[] = {
      "",
      "o\n",
      "o\n1\n",
      "\n1\n" + root + "\n",
      "o\n1\n" + root,
      "o\n01\n" + root + "\n",
      "o\n+1\n" + root + "\n",
      "o\n1 \n" + root + "\n",
      "o\n9223372036854775808\n" + root + "\n",
      "o\n1\n" + root.substr(4) + "\n",
      "o\n1\n" + root.substr(0, root.size() - 1) + "\n",
      "o\n1\n" + root + "\n\n",
      "o\n1\n" + root + "\nextension\n\n",
      "o\r\n1\n" + root + "x\n",
      "\xff\n1\n" + root + "\n",
  };
  for (const auto& each : bad) {
    const auto parsed = Checkpoint::parse(each);
    ASSERT_FALSE(parsed) << each;
    EXPECT_EQ(parsed.error().fault(), Fault::corrupt);
  }
}

}  // namespace
}  // namespace enclave::archive
