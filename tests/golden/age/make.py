#!/usr/bin/env python3
"""Writes the age vectors beside this file: python3 make.py

The cases are those of the age test kit (C2SP/CCTV) that concern X25519, made anew from the C2SP age specification with
the kit's published inputs (identity, file keys, "TEST RANDOMNESS" key stream), and some more. The library under test
takes no part: this needs python3-cryptography only. The tests also ask Debian's age for its verdict on every file.

A vector: lines "key: value", an empty line, and the file's bytes as lines
    text: a line of the header, LF follows
    hex: bytes
    chunk: name of a file here that holds one sealed chunk of 64 KiB, shared by the vectors
expect is success, header failure, HMAC failure, no match or payload failure; payload is the SHA-256 of all plain text
that is given out, before a failure too.
"""
import base64, hashlib, hmac, pathlib
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = pathlib.Path(__file__).parent
DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
LOW_ORDER = bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7")
CHUNK = 64 << 10


def bech32(prefix, data):
    values, bits, held = [], 0, 0
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        while bits >= 5:
            bits -= 5
            values.append(held >> bits & 31)
    if bits:
        values.append(held << (5 - bits) & 31)
    low = prefix.lower()
    state = 1
    for v in [ord(c) >> 5 for c in low] + [0] + [ord(c) & 31 for c in low] + values + [0] * 6:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ v
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= g if top >> i & 1 else 0
    state ^= 1
    text = low + "1" + "".join(DIGITS[v] for v in values + [state >> 5 * (5 - i) & 31 for i in range(6)])
    return text.upper() if prefix.isupper() else text


def unbech32(text):
    bits = "".join(f"{DIGITS.index(c):05b}" for c in text.lower().split("1", 1)[1][:-6])
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8))


IDENTITY = unbech32("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0")
LARGE_KEY = bytes.fromhex("7aa5bdac0e6afeed3dd0a7eccb42af44")
LARGE_NONCE = bytes.fromhex("c82f71eb82029b77136399e485e879f4")


def b64(data):
    return base64.b64encode(data).decode().rstrip("=")


def not_canonical(text):
    return text[:-1] + B64[B64.index(text[-1]) + 1]


def hkdf(key, salt, info):
    prk = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(prk, info + b"\1", "sha256")


def public(scalar):
    return X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw)


class Vector:
    def __init__(self, comment="", key=b"YELLOW SUBMARINE"):
        self.key, self.comment, self.identities, self.parts, self.plain = key, comment, [], [], b""
        self.rand = Cipher(ChaCha20(b"TEST RANDOMNESS TEST RANDOMNESS!", bytes(16)), None).encryptor()
        self.number = 0

    def random(self, n):
        return self.rand.update(bytes(n))

    def text(self, *lines):
        self.parts += [("text", line) for line in lines]
        return self

    def hex(self, data):
        self.parts.append(("hex", data))
        return self

    def bytes(self):
        out = b""
        for kind, value in self.parts:
            out += value.encode() + b"\n" if kind == "text" else value if kind == "hex" else CHUNKS[value]
        return out

    def body(self, data):
        lines = [b64(data[i:i + 48]) for i in range(0, len(data) + 1, 48)]
        return self.text(*lines)

    def version(self):
        return self.text("age-encryption.org/v1")

    def x25519(self, identity=IDENTITY, record=True, share=None, to=None, **odd):
        if record:
            self.identities.append(identity)
        if share is None:
            share = public(self.random(32))
        to = to or public(identity)
        try:
            padded = (share + bytes(32))[:32]
            secret = X25519PrivateKey.from_private_bytes(identity).exchange(X25519PublicKey.from_public_bytes(padded))
        except ValueError:
            secret = bytes(32)
        key = hkdf(secret, share + to, b"age-encryption.org/v1/X25519")
        arguments = odd.get("arguments", lambda s: [odd.get("name", "X25519"), s])(b64(share))
        self.text("-> " + " ".join(arguments))
        sealed = ChaCha20Poly1305(key).encrypt(bytes(12), self.key, None)
        if odd.get("bad_tag"):
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 255])
        if odd.get("body_not_canonical"):
            return self.text(not_canonical(b64(sealed)))
        return self.body(sealed)

    def mac_text(self):
        return b64(hmac.digest(hkdf(self.key, b"", b"header"), self.bytes() + b"---", "sha256"))

    def mac(self, change=lambda m: "--- " + m):
        return self.text(change(self.mac_text()))

    def nonce(self, nonce):
        self.stream = hkdf(self.key, nonce, b"payload")
        return self.hex(nonce)

    def chunk(self, plain, last=False, number=None, lost=0, flip=False):
        number = self.number if number is None else number
        sealed = ChaCha20Poly1305(self.stream).encrypt(number.to_bytes(11, "big") + bytes([last]), plain, None)
        sealed = sealed[:len(sealed) - lost]
        if flip:
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 255])
        self.number += 1
        for name, known in CHUNKS.items():
            if known == sealed:
                self.parts.append(("chunk", name))
                break
        else:
            if len(sealed) > 2000 and not flip and not lost and plain == bytes([number]) * CHUNK:
                name = f"chunk-{number}{'-last' if last else ''}.bin"
                CHUNKS[name] = sealed
                (HERE / name).write_bytes(sealed)
                self.parts.append(("chunk", name))
            else:
                self.hex(sealed)
        self.plain += plain
        return self

    def payload(self, plain=b"age"):
        return self.nonce(self.random(16)).chunk(plain, last=True)

    def save(self, name, expect="success", given=None):
        out = [f"expect: {expect}"]
        if expect in ("success", "payload failure"):
            out.append("payload: " + hashlib.sha256(self.plain if given is None else self.plain[:given]).hexdigest())
        out += ["identity: " + bech32("AGE-SECRET-KEY-", i) for i in self.identities]
        out += ["comment: " + self.comment] if self.comment else []
        out.append("")
        for kind, value in self.parts:
            if kind == "hex":
                out += ["hex: " + value[i:i + 50].hex() for i in range(0, len(value), 50)]
            else:
                out.append(f"{kind}: {value}")
        (HERE / f"{name}.txt").write_text("\n".join(out) + "\n")


CHUNKS = {}
HEADER, HMAC, NO_MATCH, PAYLOAD = "header failure", "HMAC failure", "no match", "payload failure"


def small(comment=""):
    return Vector(comment).version()


def large(comment=""):
    return Vector(comment, LARGE_KEY).version().x25519().mac().nonce(LARGE_NONCE)


def headers():
    Vector("an empty file").save("empty", HEADER)
    f = Vector("lines end in CR LF").text("age-encryption.org/v1\r").x25519()
    f.parts = [(k, v.rstrip("\r") + "\r") for k, v in f.parts]
    f.parts = [("hex", b"".join(v.encode() + b"\n" for _, v in f.parts))]
    f.mac(lambda m: "--- " + m).payload().save("header_crlf", HEADER)
    Vector().text("age-encryption.org/v1234").x25519().mac().payload().save("version_unsupported", HEADER)
    Vector("a space behind the version").text("age-encryption.org/v1 ").x25519().mac().payload() \
        .save("version_space", HEADER)
    small("no recipient").mac().payload().save("stanza_none", HEADER)
    f = small("header and nothing else").x25519()
    f.save("hmac_missing_cut", HEADER)
    bad = small("the MAC is made with another file key").x25519()
    bad.key = bytes(16)
    bad.mac()
    bad.key = b"YELLOW SUBMARINE"
    bad.payload().save("hmac_bad", HMAC)
    for name, change in {
            "hmac_extra_space": lambda m: "---  " + m, "hmac_garbage": lambda m: "--- " + m + "AAA",
            "hmac_missing": lambda m: "---", "hmac_no_space": lambda m: "---" + m,
            "hmac_not_canonical": lambda m: "--- " + not_canonical(m),
            "hmac_trailing_space": lambda m: "--- " + m + " ",
            "hmac_truncated": lambda m: "--- " + m[:-1], "hmac_padding": lambda m: "--- " + m + "=",
            "hmac_four_dashes": lambda m: "---- " + m}.items():
        small().x25519().mac(change).payload().save(name, HEADER)
    for size, name, expect in ((45000, "header_long", "success"), (50000, "header_too_long", HEADER)):
        small("64 KiB of header are our limit, age has none").text("-> other").body(bytes(size)).x25519().mac() \
            .payload().save(name, expect)


def stanzas():
    a48 = "A" * 64
    for name, lines, expect, comment in [
        ("stanza_bad_start", ["--> stanza", ""], HEADER, ""),
        ("stanza_base64_padding", ["-> stanza", "QUFBQQ=="], HEADER, ""),
        ("stanza_empty_argument", ["-> stanza  argument", ""], HEADER, "two spaces"),
        ("stanza_trailing_space", ["-> stanza ", ""], HEADER, ""),
        ("stanza_empty_body", ["-> empty", ""], "success", ""),
        ("stanza_empty_last_line", ["-> stanza", a48, ""], "success", ""),
        ("stanza_invalid_character", ["-> stanza è", ""], HEADER, ""),
        ("stanza_control_character", ["-> stanza \x7f", ""], HEADER, ""),
        ("stanza_tab", ["-> stanza\targument", ""], HEADER, ""),
        ("stanza_long_line", ["-> stanza", a48 + "AAAA", ""], HEADER, "a body line has more than 64 characters"),
        ("stanza_missing_body", ["-> empty"], HEADER, "every stanza ends in a short line, also an empty one"),
        ("stanza_missing_final_line", ["-> stanza", a48], HEADER, "every stanza ends in a short line"),
        ("stanza_multiple_short_lines", ["-> stanza", "AAAA", "AAAA"], HEADER, ""),
        ("stanza_no_arguments", ["->", ""], HEADER, ""),
        ("stanza_no_arguments_space", ["-> ", ""], HEADER, ""),
        ("stanza_not_canonical", ["-> stanza", "AAB"], HEADER, "bits are set behind the last byte"),
        ("stanza_one_character", ["-> stanza", "A"], HEADER, "no bytes have one character of base64"),
        ("stanza_valid_characters", ["-> !\"#$%&' ()*+,-./ 01234567 89:;<=>? @ABCDEFG HIJKLMNO", "",
                                     "-> PQRSTUVW XYZ[\\]^_ `abcdefg hijklmno pqrstuvw xyz{|}~", ""], "success", ""),
        ("scrypt_and_x25519", ["-> scrypt 3EPXvO9hOFW4iKQAAAAAAA 10", "2tV6Ao8BxOHzXUVvZXyyvSsxCfNyESgZMnNVJP0fTa4"],
         HEADER, "a passphrase may not stand beside other recipients"),
    ]:
        small(comment).x25519().text(*lines).mac().payload().save(name, expect)
    f = small().x25519()
    f.hex(b"-> stanza\nAAAA\r\n").mac().payload().save("stanza_spurious_cr", HEADER)


def published():
    """The kit's x25519 vector as it was published with age 1.1, byte for byte."""
    f = Vector("as published with age 1.1")
    f.identities.append(unbech32("AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6"))
    f.text("age-encryption.org/v1", "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc",
           "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U", "--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0")
    f.random(32)
    f.payload().save("published_x25519")


def x25519():
    small().x25519().mac().payload().save("x25519")
    small().text("-> grease", "").x25519().text("-> grease", "").mac().payload().save("x25519_grease")
    small("the wrapped key's tag is wrong").x25519(bad_tag=True).mac().payload().save("x25519_bad_tag", NO_MATCH)
    small("a third argument").x25519(arguments=lambda s: ["X25519", s, "1234"]).mac().payload() \
        .save("x25519_extra_argument", HEADER)
    small("no share").x25519(arguments=lambda s: ["X25519"]).mac().payload().save("x25519_no_share", HEADER)
    small("the share is all zeros, so the shared secret is too").x25519(share=bytes(32)).mac().payload() \
        .save("x25519_identity", HEADER)
    small("the share is the recipient's own point").x25519(share=public(IDENTITY)).mac().payload() \
        .save("x25519_share_of_recipient")
    for size, name in ((17, "x25519_long_file_key"), (15, "x25519_short_file_key")):
        Vector(f"a file key of {size} bytes", b"A LONGER YELLOW SUBMARINE"[:size]).version().x25519().mac().payload() \
            .save(name, HEADER)
    longer = lambda s: ["X25519", b64(base64.b64decode(s + "=") + b"\0")]
    small("a zero byte follows the share").x25519(arguments=longer).mac().payload() \
        .save("x25519_long_share", HEADER)
    small("the share lacks a byte").x25519(share=public(bytes(range(32)))[:31]).mac().payload() \
        .save("x25519_short_share", HEADER)
    small("a share of order 8: the shared secret is all zeros").x25519(share=LOW_ORDER).mac().payload() \
        .save("x25519_low_order", HEADER)
    small("a share of order 1").x25519(share=bytes([1]) + bytes(31)).mac().payload() \
        .save("x25519_low_order_one", HEADER)
    small("types are compared with their case").x25519(name="x25519").mac().payload().save("x25519_lowercase", NO_MATCH)
    f = small("the second recipient is ours")
    f.x25519(identity=f.random(32), record=False).x25519().mac().payload().save("x25519_multiple_recipients")
    f = small("encrypted to somebody else")
    f.identities.append(f.random(32))
    f.x25519(record=False).mac().payload().save("x25519_no_match", NO_MATCH)
    f = small("the second identity fits")
    f.identities.append(f.random(32))
    f.x25519().mac().payload().save("x25519_second_identity")
    small().x25519(body_not_canonical=True).mac().payload().save("x25519_not_canonical_body", HEADER)
    small().x25519(arguments=lambda s: ["X25519", not_canonical(s)]).mac().payload() \
        .save("x25519_not_canonical_share", HEADER)


def streams():
    zero, one, two = (bytes([n]) * CHUNK for n in range(3))
    small().x25519().mac().payload(b"").save("stream_empty_payload")
    small().x25519().mac().nonce(bytes(16)).chunk(b"age", last=True, flip=True).save("stream_bad_tag", PAYLOAD, 0)
    small("no nonce").x25519().mac().save("stream_no_nonce", HEADER)
    f = small("12 of 16 bytes of the nonce").x25519().mac()
    f.hex(f.random(12)).save("stream_short_nonce", HEADER)
    small("no chunk").x25519().mac().nonce(bytes(16)).save("stream_no_chunks", PAYLOAD, 0)
    small("half a tag").x25519().mac().nonce(bytes(16)).chunk(b"age", last=True, lost=8) \
        .save("stream_missing_tag", PAYLOAD, 0)
    small("fewer bytes than a tag has").x25519().mac().nonce(bytes(16)).chunk(b"", last=True, lost=4) \
        .save("stream_short_chunk", PAYLOAD, 0)
    small("its only chunk is not the last one").x25519().mac().nonce(bytes(16)).chunk(b"age") \
        .save("stream_no_final", PAYLOAD, 0)
    small("bytes follow the last chunk").x25519().mac().payload().hex(b"trailing") \
        .save("stream_trailing_garbage_small", PAYLOAD, 0)
    small("two short chunks").x25519().mac().nonce(bytes(16)).chunk(b"age").chunk(b"age", last=True) \
        .save("stream_two_final_chunks", PAYLOAD, 0)
    large().chunk(zero, last=True).save("stream_last_chunk_full")
    large().chunk(zero).chunk(b"age", last=True).save("stream_two_chunks")
    large().chunk(zero).chunk(one, last=True).save("stream_last_chunk_full_second")
    large().chunk(zero).chunk(one).chunk(two, last=True).save("stream_three_chunks")
    large("an empty last chunk, although there is plain text").chunk(zero).chunk(b"", last=True) \
        .save("stream_last_chunk_empty", PAYLOAD, CHUNK)
    large().chunk(zero).chunk(b"age", last=True, flip=True).save("stream_bad_tag_second_chunk", PAYLOAD, CHUNK)
    large("cut off behind a whole chunk").chunk(zero).save("stream_no_final_full", PAYLOAD, CHUNK)
    large("cut off behind the second chunk").chunk(zero).chunk(one) \
        .save("stream_no_final_two_chunks_full", PAYLOAD, 2 * CHUNK)
    large("cut off behind a short second chunk").chunk(zero).chunk(b"age") \
        .save("stream_no_final_two_chunks", PAYLOAD, CHUNK)
    large("the second chunk is shorter than a tag").chunk(zero).chunk(b"", last=True, lost=6) \
        .save("stream_short_second_chunk", PAYLOAD, CHUNK)
    large("bytes follow a full last chunk").chunk(zero, last=True).hex(b"trailing garbage, 20") \
        .save("stream_trailing_garbage_long", PAYLOAD, CHUNK)
    large("one byte follows a full last chunk").chunk(zero, last=True).hex(b"\0") \
        .save("stream_trailing_garbage_short", PAYLOAD, CHUNK)
    large("the chunks changed places").chunk(one, number=1).chunk(zero, number=0).chunk(two, last=True, number=2) \
        .save("stream_reordered", PAYLOAD, 0)
    large("the second chunk is missing").chunk(zero, number=0).chunk(two, last=True, number=2) \
        .save("stream_missing_chunk", PAYLOAD, CHUNK)
    large("the first chunk comes twice").chunk(zero, number=0).chunk(zero, number=0).chunk(one, last=True, number=1) \
        .save("stream_repeated_chunk", PAYLOAD, CHUNK)
    large("a last chunk comes first").chunk(zero, last=True).chunk(one, last=True, number=1) \
        .save("stream_two_last_chunks", PAYLOAD, CHUNK)


headers()
stanzas()
published()
x25519()
streams()
