"""ClientHellos and QUIC packets made by hand."""

import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def vector(data, width=2):
    """Octets with their length before them."""
    return len(data).to_bytes(width, "big") + data


def extension(type_, data=b""):
    return struct.pack("!H", type_) + vector(data)


def server_name(*names):
    return extension(0, vector(b"".join(b"\0" + vector(name) for name in names)))


def alpn(*names):
    return extension(16, vector(b"".join(vector(name, 1) for name in names)))


def numbers(*values):
    return b"".join(struct.pack("!H", value) for value in values)


def hello(
    name=b"www.example.org",
    more=b"",
    ciphers=(0x1301, 0x1302),
    version=0x0303,
    cookie=None,
    extensions=None,
):
    """A ClientHello from its handshake type on; with a cookie as DTLS has it, without its longer header."""
    if extensions is None:
        extensions = (server_name(name) if name is not None else b"") + more
    body = numbers(version) + b"r" * 32 + vector(b"s" * 32, 1)
    body += b"" if cookie is None else vector(cookie, 1)
    body += vector(numbers(*ciphers)) + vector(b"\0", 1) + vector(extensions)
    return b"\1" + vector(body, 3)


def dtls(data, sequence=0, pieces=1, version=0xFEFD, records=True):
    """Datagrams, or with `records` False one, of a DTLS hello in some pieces."""
    body, size = data[4:], -(-(len(data) - 4) // pieces)
    out = []
    for offset in range(0, len(body), size):
        piece = body[offset : offset + size]
        head = b"\1" + len(body).to_bytes(3, "big") + numbers(sequence) + offset.to_bytes(3, "big")
        out.append(b"\x16" + numbers(version) + b"\0" * 8 + vector(head + vector(piece, 3)))
    return out if records else [b"".join(out)]


SALTS = {
    0x00000001: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    0x6B3343CF: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    0xFF00001D: "afbfec289993d24c9e9786f19c6111e04390a899",
    0xFF00001B: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0xFACEB002: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0x0A1A2A3A: "afbfec289993d24c9e9786f19c6111e04390a899",
    0x51303530: "504574efd066fe2f9d945cfcdbd3a7f0d3b56b45",
}


def _expand(secret, label, length):
    full = b"tls13 " + label
    info = struct.pack("!H", length) + vector(full, 1) + b"\0"
    return hmac.digest(secret, info + b"\1", "sha256")[:length]


def varint(value, size=None):
    size = size or (1 if value < 64 else 2 if value < 16384 else 4 if value < 1 << 30 else 8)
    return (value | {1: 0, 2: 1, 4: 2, 8: 3}[size] << (8 * size - 2)).to_bytes(size, "big")


def crypto(offset, data):
    return b"\6" + varint(offset) + varint(len(data)) + data


def initial(
    contents,
    dcid=b"\x83\x94\xc8\xf0\x3e\x51\x57\x08",
    version=1,
    number=0,
    token=b"",
    scid=b"",
    keys_of=None,
    size=1162,
    width=4,
):
    """A client's Initial; `keys_of` is the connection id that the keys are made of, where it is another."""
    prefix = b"quicv2" if version == 0x6B3343CF else b"quic"
    chosen = dcid if keys_of is None else keys_of
    secret = _expand(hmac.digest(bytes.fromhex(SALTS[version]), chosen, "sha256"), b"client in", 32)
    key, iv, hp = (
        _expand(secret, prefix + b" " + n, k) for n, k in ((b"key", 16), (b"iv", 12), (b"hp", 16))
    )
    contents = contents.ljust(size, b"\0")
    kind = 0x10 if version == 0x6B3343CF else 0
    header = (
        bytes([0xC0 | kind | width - 1]) + version.to_bytes(4, "big") + vector(dcid, 1) + vector(scid, 1)
    )
    header += varint(len(token)) + token + varint(width + len(contents) + 16, 2)
    sent = (number % (1 << 8 * width)).to_bytes(width, "big")
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, contents, header + sent)
    sample = (sent + sealed)[4:20]
    mask = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(sample)
    first = bytes([header[0] ^ (mask[0] & 0x0F)])
    return first + header[1:] + bytes(a ^ b for a, b in zip(sent, mask[1:], strict=False)) + sealed


def chlo(name, *more):
    """A CHLO with a server name and some other tags."""
    tags = [(b"PAD\0", b"-" * 30), (b"SNI\0", name), *more]
    head, values = b"", b""
    for tag, value in tags:
        values += value
        head += tag + struct.pack("<I", len(values))
    return b"CHLO" + struct.pack("<HH", len(tags), 0) + head + values
