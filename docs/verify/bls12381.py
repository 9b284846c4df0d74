"""BLS signatures of drand's quicknet on BLS12-381, in plain Python: public key in G2, signature in G1.

Sources: RFC 9380 (hash to curve, suite BLS12381G1_XMD:SHA-256_SSWU_RO_), draft-irtf-cfrg-bls-signature (verification),
the ZCash encoding of points. Written to be read, not to be fast: a signature takes about a second. Not constant time; it
only ever sees public values.
"""

import hashlib

from bls_isogeny import ISO_A, ISO_B, ISO_Z, X_DENOMINATOR, X_NUMERATOR, Y_DENOMINATOR, Y_NUMERATOR

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
X = 0xD201000000010000  # the curve's parameter is -X
H_EFF = 0xD201000000010001  # clears the cofactor of G1

DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
QUICKNET_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
    "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
    "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)

G2_GENERATOR = (
    (
        0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
        0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
    ),
    (
        0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
        0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
    ),
)


class PointError(ValueError):
    """Bytes that are no point, or a point outside the group."""


# Fp2 = Fp[i] / (i^2 + 1): pairs (a, b) for a + bi.


def f2_add(x, y):
    return (x[0] + y[0]) % P, (x[1] + y[1]) % P


def f2_sub(x, y):
    return (x[0] - y[0]) % P, (x[1] - y[1]) % P


def f2_mul(x, y):
    return (x[0] * y[0] - x[1] * y[1]) % P, (x[0] * y[1] + x[1] * y[0]) % P


def f2_inv(x):
    norm = pow(x[0] * x[0] + x[1] * x[1], -1, P)
    return x[0] * norm % P, -x[1] * norm % P


def fp_sqrt(x):
    """A square root, or None. P is 3 mod 4."""
    root = pow(x, (P + 1) // 4, P)
    return root if root * root % P == x % P else None


def f2_sqrt(x):
    """A square root, or None: by way of the norm, which is a square in Fp."""
    a, b = x
    if b == 0:
        root = fp_sqrt(a)
        return (root, 0) if root is not None else (0, fp_sqrt(-a % P))
    norm = fp_sqrt(a * a + b * b)
    if norm is None:
        return None
    half = pow(2, -1, P)
    for sign in (norm, -norm):
        real = fp_sqrt((a + sign) * half % P)
        if real:
            root = real, b * half * pow(real, -1, P) % P
            if f2_mul(root, root) == (a % P, b % P):
                return root
    return None


# Points of y^2 = x^3 + b in affine form; None is the point at infinity. The field's operations are handed in.


class Field:
    def __init__(self, add, sub, mul, inv, zero, small):
        self.add, self.sub, self.mul, self.inv, self.zero, self.small = add, sub, mul, inv, zero, small


FP = Field(
    lambda x, y: (x + y) % P,
    lambda x, y: (x - y) % P,
    lambda x, y: x * y % P,
    lambda x: pow(x, -1, P),
    0,
    lambda n: n,
)
FP2 = Field(f2_add, f2_sub, f2_mul, f2_inv, (0, 0), lambda n: (n, 0))


def slope(f, p, q):
    """Of the line through p and q, or of the tangent at p when they are one; None when the line is vertical."""
    if p[0] != q[0]:
        return f.mul(f.sub(q[1], p[1]), f.inv(f.sub(q[0], p[0])))
    if p[1] != q[1] or p[1] == f.zero:
        return None
    return f.mul(f.mul(f.small(3), f.mul(p[0], p[0])), f.inv(f.mul(f.small(2), p[1])))


def point_add(f, p, q):
    if p is None or q is None:
        return q if p is None else p
    s = slope(f, p, q)
    if s is None:
        return None
    x = f.sub(f.sub(f.mul(s, s), p[0]), q[0])
    return x, f.sub(f.mul(s, f.sub(p[0], x)), p[1])


def point_mul(f, p, n):
    result = None
    while n:
        if n & 1:
            result = point_add(f, result, p)
        p = point_add(f, p, p)
        n >>= 1
    return result


def read_flags(data, length):
    if len(data) != length:
        raise PointError(f"a point has {length} bytes")
    if not data[0] & 0x80 or data[0] & 0x40:
        raise PointError("the point is not compressed, or at infinity")
    return bool(data[0] & 0x20), bytes([data[0] & 0x1F]) + data[1:]


def read_g1(data):
    """A point of G1 from its 48 bytes: on the curve and in the group of order R."""
    is_larger, body = read_flags(data, 48)
    x = int.from_bytes(body, "big")
    y = fp_sqrt((x * x * x + 4) % P) if x < P else None
    if y is None:
        raise PointError("not on the curve")
    if (y > P - y) != is_larger:
        y = P - y
    if point_mul(FP, (x, y), R) is not None:
        raise PointError("not in the group")
    return x, y


def read_g2(data):
    """A point of G2 from its 96 bytes: on the curve and in the group of order R."""
    is_larger, body = read_flags(data, 96)
    x = int.from_bytes(body[48:], "big"), int.from_bytes(body[:48], "big")
    y = f2_sqrt(f2_add(f2_mul(x, f2_mul(x, x)), (4, 4))) if max(x) < P else None
    if y is None:
        raise PointError("not on the curve")
    negative = f2_sub((0, 0), y)
    if ((y[1], y[0]) > (negative[1], negative[0])) != is_larger:
        y = negative
    if point_mul(FP2, (x, y), R) is not None:
        raise PointError("not in the group")
    return x, y


# Hash to G1 (RFC 9380).


def expand_message(message, dst, length):
    """expand_message_xmd with SHA-256 (section 5.3.1)."""
    suffix = dst + bytes([len(dst)])
    blocks = -(-length // 32)
    first = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\0" + suffix).digest()
    block = hashlib.sha256(first + b"\1" + suffix).digest()
    out = block
    for index in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block))
        block = hashlib.sha256(mixed + bytes([index]) + suffix).digest()
        out += block
    return out[:length]


def map_to_curve(u):
    """The simplified SWU map onto E' (section 6.6.2), then the isogeny to E (appendix E.2)."""
    z = ISO_Z * u * u % P
    t = (z * z + z) % P
    if t:
        x = -ISO_B * pow(ISO_A, -1, P) * (1 + pow(t, -1, P)) % P
    else:
        x = ISO_B * pow(ISO_Z * ISO_A, -1, P) % P
    y = fp_sqrt((x * x * x + ISO_A * x + ISO_B) % P)
    if y is None:
        x = z * x % P
        y = fp_sqrt((x * x * x + ISO_A * x + ISO_B) % P)
    if u & 1 != y & 1:
        y = P - y

    def at_x(coefficients):
        value = 0
        for coefficient in reversed(coefficients):
            value = (value * x + coefficient) % P
        return value

    return (
        at_x(X_NUMERATOR) * pow(at_x(X_DENOMINATOR), -1, P) % P,
        y * at_x(Y_NUMERATOR) * pow(at_x(Y_DENOMINATOR), -1, P) % P,
    )


def hash_to_g1(message, dst=DST):
    wide = expand_message(message, dst, 128)
    points = [map_to_curve(int.from_bytes(part, "big") % P) for part in (wide[:64], wide[64:])]
    return point_mul(FP, point_add(FP, *points), H_EFF)


# The pairing. Fp12 = Fp[w] / (w^12 - 2w^6 + 2): lists of twelve coefficients; w^6 = 1 + i.


def f12_mul(x, y):
    wide = [0] * 23
    for i, a in enumerate(x):
        if a:
            for j, b in enumerate(y):
                wide[i + j] += a * b
    for k in range(22, 11, -1):
        wide[k - 6] += 2 * wide[k]
        wide[k - 12] -= 2 * wide[k]
    return [value % P for value in wide[:12]]


def f12_pow(x, n):
    result = None
    for bit in bin(n)[2:]:
        if result is not None:
            result = f12_mul(result, result)
        if bit == "1":
            result = x if result is None else f12_mul(result, x)
    return result


def line(q, s, p):
    """The line of slope s through q, a point of the twist, at p: (s*qx - qy) - s*px*w^2 + py*w^3."""
    value = [0] * 12
    terms = ((f2_sub(f2_mul(s, q[0]), q[1]), 0), (f2_mul(s, (-p[0] % P, 0)), 2), ((p[1], 0), 3))
    for (a, b), power in terms:
        value[power] += a - b
        value[power + 6] += b
    return value


def miller(p, q):
    """The ate pairing's function before the final power, up to inversion; p in G1, q in G2."""
    f, t = [1] + [0] * 11, q
    for bit in bin(X)[3:]:
        s = slope(FP2, t, t)
        f = f12_mul(f12_mul(f, f), line(t, s, p))
        t = point_add(FP2, t, t)
        if bit == "1":
            f = f12_mul(f, line(t, slope(FP2, t, q), p))
            t = point_add(FP2, t, q)
    return f


def pairings_cancel(pairs):
    """Whether the product of e(p, q) over all pairs is 1."""
    product = [1] + [0] * 11
    for p, q in pairs:
        product = f12_mul(product, miller(p, q))
    return f12_pow(product, (P**12 - 1) // R) == [1] + [0] * 11


def is_valid(key, message, signature, dst=DST):
    """Whether `signature` (48 bytes) is `key`'s (96 bytes) over `message`."""
    try:
        signed, public = read_g1(signature), read_g2(key)
    except PointError:
        return False
    minus_generator = G2_GENERATOR[0], f2_sub((0, 0), G2_GENERATOR[1])
    return pairings_cancel([(signed, minus_generator), (hash_to_g1(message, dst), public)])


def is_quicknet_round(number, signature):
    """Whether `signature` is quicknet's for this round: over SHA-256 of the number in eight bytes."""
    return is_valid(QUICKNET_KEY, hashlib.sha256(number.to_bytes(8, "big")).digest(), signature)
