"""The parts of the benches that are only rules. Argument: the folder of loadtest. Nothing here starts a server."""

import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
loadtest = sys.argv.pop(1)
sys.path.insert(0, loadtest)

from benches import booking, crowd, edge, joins, jwts, load, peers, places, profile, purchases, room, rows, sell_out, stack


def sample(cpu_us):
    return load.Sample(cpu_us, 1000, 2, 1, 9, 0.9, 0.5)


def result(**changed):
    return {"requests": 100, "refused": 0, "broken": 0, **changed}


class Options(unittest.TestCase):
    def test_quick_is_shorter_and_smaller(self):
        quick, whole = edge.read(["--quick"]), edge.read([])
        self.assertLess(quick.rounds * quick.seconds * quick.tokens, whole.rounds * whole.seconds * whole.tokens)
        self.assertEqual((whole.rounds, whole.tokens, whole.visitors), (5, 100_000, 1_000_000))
        self.assertEqual(edge.read(["--only", "P5,P1"]).parts, ["P5", "P1"])
        self.assertLess(room.read(["--quick"]).visitors, room.read([]).visitors)
        self.assertEqual(room.read([]).visitors, 1_000_000)


def purchase_run(cpu_us, seconds=2.0, refused=None):
    spent = {stack.short(name): cpu_us / 6 for name in stack.PROCESSES}
    spent[purchases.GENERATOR] = cpu_us / 6
    waits = {"hold": 1.0, "order": 2.0, "pay": 3.0}
    return purchases.Run(1000, seconds, 1000 / seconds, spent, waits, waits, refused or {}, 0.5)


class Selling(unittest.TestCase):
    def test_the_rate_of_purchases_is_judged_and_the_rest_told(self):
        runs = {"purchase": [purchase_run(1200)], "hold at 1 % sold": [], "hold at 99 % sold": [], "map": []}
        found = booking.rows_of(runs, [], 50_000)
        judged = [row for row in found if row.holds is not None]
        self.assertEqual([(row.id, row.value, row.holds) for row in judged], [("P6", 500, False)])
        self.assertIn(1200, [round(row.value) for row in found])
        self.assertEqual(len([row for row in found if row.unit == "ms"]), 6)

    def test_growth_compares_the_rounds_in_pairs(self):
        early, late = [purchase_run(100), purchase_run(1000)], [purchase_run(150), purchase_run(1500)]
        growth = [row for row in booking.growth(early, late) if row.ratio]
        self.assertEqual([round(row.ratio, 3) for row in growth], [1.5, 1.5])
        self.assertTrue(all(row.holds for row in growth))

    def test_a_refused_order_breaks_the_goal_of_a_sale(self):
        options = sell_out.read(["--quick"])
        rows_found = sell_out.rows_of([purchase_run(1200, refused={"order 409": 1})], options)
        self.assertEqual([row.holds for row in rows_found if row.holds is not None], [True, False])

    def test_there_are_more_buyers_than_orders(self):
        options = booking.read([])
        self.assertEqual((options.seats, options.connections, options.rounds), (50_000, 256, 5))
        self.assertGreater(booking.buyers(options) - 2 * booking.EARLY, options.seats / booking.SEATS_AN_ORDER)


class Rows(unittest.TestCase):
    def test_a_goal_holds_on_its_side_of_the_bound(self):
        self.assertTrue(rows.at_most("P1", "cost", 8, "µs", 8).holds)
        self.assertFalse(rows.at_most("P1", "cost", 8.01, "µs", 8).holds)
        self.assertFalse(rows.at_least("P1", "rate", 49_999, "requests/s", 50_000).holds)
        self.assertTrue(rows.beside("P1", "cost", 9, "µs", "peer", 10, 0.9, 0.9).holds)
        self.assertFalse(rows.beside("P1", "cost", 9.1, "µs", "peer", 10, 0.91, 0.9).holds)
        self.assertIsNone(rows.beside("P1", "cost", 9, "µs", "peer", 10, 0.9).holds)

    def test_the_ratio_is_taken_within_each_round(self):
        ours, peers_ = [sample(8), sample(16), sample(30)], [sample(10), sample(20), sample(20)]
        self.assertAlmostEqual(load.median_ratio(ours, peers_), 0.8)

    def test_a_table_has_a_line_for_each_row_and_all_lines_are_as_long(self):
        found = [rows.at_most("P1", "cost", 7.5, "µs", 8), rows.plain("P5", "memory", 1234.5, "MiB")]
        lines = rows.table(found).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertIn("yes", lines[2])
        self.assertEqual(len(rows.servers_table({"P1 gateway": [sample(8)]}).splitlines()), 3)


class Crowds(unittest.TestCase):
    WEIGHTS = {"few": 40e6, "half": 50e6, "all": 50e6, "few, started": 40e6, "half, started": 40e6,
               "started": 40e6, "few stored": 1e6, "stored": 101e6}

    def holding(self, **changed):
        found = crowd.memory_rows({**self.WEIGHTS, **changed}, 1_000, 1_000_000, 500_000)
        return [row.holds for row in found if row.holds is not None]

    def test_a_byte_a_visitor_is_noise_and_two_are_memory(self):
        self.assertEqual(self.holding(), [True, True, True])
        self.assertEqual(self.holding(started=41e6), [False, True, True])
        self.assertEqual(self.holding(all=56e6), [True, False, True])
        self.assertEqual(self.holding(stored=130e6), [True, True, False])

    def test_growth_is_judged_by_the_quietest_rounds(self):
        few = [sample(20), sample(10)]
        for many, holds in (([sample(11), sample(30)], True), ([sample(11.1), sample(12)], False)):
            (row,) = joins.grown("poll", few, many, 1_000_000, "µs", most=1.1)
            self.assertEqual((row.goal, row.peer_value, row.holds), ("≤ 1.1 ×", 10, holds))

    def test_every_answered_join_must_have_given_a_place(self):
        few = joins.Joins("few", None, None)
        few.check_places(given=100, answered=100)
        few.check_places(given=100 + joins.UNCOUNTED_MAX, answered=100)
        for given in (99, 101 + joins.UNCOUNTED_MAX):
            with self.assertRaises(load.BenchFault):
                few.check_places(given=given, answered=100)


class Answers(unittest.TestCase):
    def test_one_wrong_answer_fails_a_run(self):
        served = load.Contender("served", None, 1, "/")
        refused = load.Contender("refused", None, 1, "/", status=429)
        load.check(served, result())
        load.check(refused, result(refused=99))
        wrong = [(served, result(refused=1)), (served, result(broken=1)), (served, result(requests=0))]
        wrong += [(refused, result(refused=90)), (refused, result(refused=100, broken=1))]
        for contender, one in wrong:
            with self.assertRaises(load.BenchFault):
                load.check(contender, one)


class Tokens(unittest.TestCase):
    def test_der_becomes_two_numbers_of_32_bytes(self):
        short, long = b"\x01", b"\x00\xff" + b"\x02" * 31
        der = b"\x30\x26\x02\x01" + short + b"\x02\x21" + long
        self.assertEqual(jwts.ECDSA.joined(der), b"\0" * 31 + b"\x01" + b"\xff" + b"\x02" * 31)

    def test_tokens_are_distinct_and_joins_name_their_device(self):
        self.assertEqual(len(set(jwts.hs256(50, peers.SECRET))), 50)
        self.assertIn(b"Usher-Device: " + b"0" * 30 + b"ff", places.join_request(255))


class Peers(unittest.TestCase):
    def test_every_gap_of_a_configuration_is_filled(self):
        known = {
            "nginx.conf": peers.NGINX_PORTS + ["UPSTREAM_PORT", "FOLDER", "BODY"],
            "haproxy.cfg": peers.HAPROXY_PORTS
            + ["UPSTREAM_PORT", "SECRET", "PUBLIC_KEY", "DENY_FILE", "BODY", "CLAIM_BODY", "LIVE_BODY"],
            "upstream.conf": ["UPSTREAM_PORT", "FOLDER", "BODY"],
        }
        self.assertEqual(set(os.listdir(peers.FOLDER)), set(known))
        for file, names in known.items():
            with open(os.path.join(peers.FOLDER, file)) as template:
                gaps = set(re.findall(r"@([A-Z0-9_]+)@", template.read()))
            self.assertEqual(gaps, set(names), file)


class Profiles(unittest.TestCase):
    def test_stacks_are_counted_by_their_end_and_by_all_they_pass(self):
        text = "comm \n\t 1 leaf\n\t 2 root\n\ncomm \n\t 1 leaf\n\t 2 root\n\ncomm \n\t 2 root\n"
        stacks = profile.folded(text, plain_names=lambda names: names)
        self.assertEqual(dict(stacks), {("root", "leaf"): 2, ("root",): 1})
        self.assertIn("66.67%  leaf", profile.listing(stacks))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
