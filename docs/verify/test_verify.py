#!/usr/bin/env python3
"""Published vectors for what the checker is made of. Run: python3 test_verify.py"""

import hashlib
import unittest

import bls12381
from definitions import Tree, first_round, round_time, shuffle


class Bls(unittest.TestCase):
    # drand quicknet, https://api.drand.sh/52db9ba7.../public/1000 and 1001
    ROUNDS = {
        1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
        1001: "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
    }

    def test_published_rounds(self):
        for number, signature in self.ROUNDS.items():
            self.assertTrue(bls12381.is_quicknet_round(number, bytes.fromhex(signature)))

    def test_a_round_is_no_other(self):
        self.assertFalse(bls12381.is_quicknet_round(1000, bytes.fromhex(self.ROUNDS[1001])))

    def test_randomness_is_the_hash(self):
        digest = hashlib.sha256(bytes.fromhex(self.ROUNDS[1000])).hexdigest()
        self.assertEqual(digest, "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd")

    def test_points_outside_are_refused(self):
        good = bytes.fromhex(self.ROUNDS[1000])
        on_curve = [x for x in range(1, 40) if bls12381.fp_sqrt((x**3 + 4) % bls12381.P) is not None][0]
        outside_group = bytes([0x80]) + on_curve.to_bytes(47, "big")
        for data in (good[:-1], bytes(48), bytes([0xC0]) + bytes(47), bytes([0x9F]) + b"\xff" * 47, outside_group):
            with self.assertRaises(bls12381.PointError):
                bls12381.read_g1(data)

    def test_hash_to_curve(self):
        # RFC 9380, J.9.1, the empty message
        dst = b"QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_"
        x, _ = bls12381.hash_to_g1(b"", dst)
        want = "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1"
        self.assertEqual(f"{x:096x}", want)


class Definitions(unittest.TestCase):
    def test_roots(self):
        # RFC 6962's example leaves (Certificate Transparency)
        tree = Tree()
        self.assertEqual(tree.root().hex(), hashlib.sha256(b"").hexdigest())
        for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657"):
            tree.append(bytes.fromhex(leaf))
        self.assertEqual(tree.root().hex(), "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c")

    def test_shuffle(self):
        seed = hashlib.sha256(b"usher").digest()
        packed = b"".join(member.to_bytes(4, "big") for member in shuffle(seed, 100_000))
        self.assertEqual(
            hashlib.sha256(packed).hexdigest(), "a95e3fcf9e9f221d0e0e5be3965f6db40a012e994fc2c17f1742f4dbcde7c902"
        )

    def test_rounds(self):
        self.assertEqual(first_round(round_time(1000)), 1000)
        self.assertEqual(first_round(round_time(1000) + 1), 1001)
        self.assertEqual(first_round(0), 1)


if __name__ == "__main__":
    unittest.main()
