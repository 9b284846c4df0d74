# The peers' tokens: the claims of a place, signed with HS256, or with ES256 by OpenSSL's libcrypto.
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import subprocess
import time

from benches.gateway import ROOM
from benches.yard import BenchFault


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signing_input(algorithm, number, now):
    header = {"alg": algorithm, "kid": "place-5Tfs8m3ro4pf", "typ": "usher-place+jwt"}
    claims = {
        "iss": "usher-gateway",
        "aud": ROOM,
        "iat": now,
        "exp": now + 86_400,
        "jti": "2oelr6SL38_1bu8",
        "place": number,
        "sub": base64url(hashlib.sha256(str(number).encode()).digest()[:16]).decode(),
        "cohort": "live",
        "gen": now,
        "pol": "lPjffWJm7jUVeeUwxiwC94XQ6vOJ18JcGACKg_t9CLc",
    }
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    return b".".join(base64url(part) for part in parts)


def hs256(count, secret):
    now = int(time.time())
    tokens = []
    for number in range(1, count + 1):
        text = signing_input("HS256", number, now)
        tokens.append((text + b"." + base64url(hmac.digest(secret.encode(), text, "sha256"))).decode())
    return tokens


def es256(count, private_key):
    now = int(time.time())
    sign = ECDSA(private_key)
    tokens = []
    for number in range(1, count + 1):
        text = signing_input("ES256", number, now)
        tokens.append((text + b"." + base64url(sign(text))).decode())
    return tokens


def make_key(yard):
    """A P-256 key pair; the paths of the private and the public half."""
    private, public = yard.path("es256.pem"), yard.path("es256.pub.pem")
    make = ["openssl", "ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", private]
    publish = ["openssl", "ec", "-in", private, "-pubout", "-out", public]
    for command in (make, publish):
        if subprocess.run(command, capture_output=True).returncode != 0:
            raise BenchFault(f"openssl failed: {' '.join(command)}")
    return private, public


class ECDSA:
    """Signs with a P-256 key: 100,000 signatures in seconds, where the command would take minutes."""

    SIGNATURE_BYTES_MAX = 80

    def __init__(self, private_key):
        name = ctypes.util.find_library("crypto") or "libcrypto.so.3"
        self.crypto = ctypes.CDLL(name)
        for function in ("BIO_new_file", "PEM_read_bio_PrivateKey", "EVP_MD_CTX_new", "EVP_sha256"):
            getattr(self.crypto, function).restype = ctypes.c_void_p
        bio = ctypes.c_void_p(self.crypto.BIO_new_file(private_key.encode(), b"r"))
        self.key = ctypes.c_void_p(self.crypto.PEM_read_bio_PrivateKey(bio, None, None, None))
        self.crypto.BIO_free(bio)
        self.context = ctypes.c_void_p(self.crypto.EVP_MD_CTX_new())
        if not self.key.value or not self.context.value:
            raise BenchFault("libcrypto does not read the ES256 key")

    def __call__(self, text):
        size = ctypes.c_size_t(self.SIGNATURE_BYTES_MAX)
        signature = ctypes.create_string_buffer(self.SIGNATURE_BYTES_MAX)
        digest = ctypes.c_void_p(self.crypto.EVP_sha256())
        began = self.crypto.EVP_DigestSignInit(self.context, None, digest, None, self.key)
        done = self.crypto.EVP_DigestSign(self.context, signature, ctypes.byref(size), text, len(text))
        if began != 1 or done != 1:
            raise BenchFault("libcrypto does not sign")
        return self.joined(signature.raw[: size.value])

    @staticmethod
    def joined(der):
        """The two 32-byte numbers that JWS wants (RFC 7518, 3.4) out of DER's sequence of two integers."""
        first = der[4 : 4 + der[3]]
        second_at = 4 + der[3]
        second = der[second_at + 2 : second_at + 2 + der[second_at + 1]]
        return b"".join(part.lstrip(b"\0").rjust(32, b"\0") for part in (first, second))
