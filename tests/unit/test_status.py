"""What the system that runs tells of itself: `otway status`, and metrics. The control role runs, confined, and was told a few things."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import prometheus

OTWAY, CONTROL = os.environ["OTWAY"], os.environ["CONTROL_TRY"]
PATIENCE = 30


class Running(unittest.TestCase):
    def control(self, *args):
        """(path of the store, of status, place of metrics)"""
        process = subprocess.Popen([CONTROL, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def end():
            process.stdin.close()
            process.wait(PATIENCE)
            process.stdout.close()

        self.addCleanup(end)
        words = process.stdout.readline().split()
        self.assertEqual(len(words), 3, "control did not begin")
        return words

    def otway(self, status, *args, user=None):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        config = os.path.join(folder, "otway.yaml")
        with open(config, "w", encoding="utf-8") as f:
            f.write("run:\n  status: %s\n" % json.dumps(status))
        return subprocess.run([OTWAY, "status", "--config", config, *args], capture_output=True, text=True, timeout=PATIENCE, user=user)


class Status(Running):
    def test_a_program_reads_one_object(self):
        _, status, _ = self.control()
        done = self.otway(status, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(set(told), {"otway", "at", "since", "run", "roles", "counters", "interfaces", "interceptions", "alarms", "store",
                                     "table"})
        self.assertEqual({(r["role"], r["index"]) for r in told["roles"]},
                         {("supervise", 0), ("control", 0), ("keys", 0), ("delivery", 0), ("intercept", 0)})
        by_role = {r["role"]: r for r in told["roles"]}
        self.assertTrue(by_role["intercept"]["alive"])
        self.assertFalse(by_role["keys"]["alive"], "it never said a thing")
        self.assertEqual(by_role["keys"]["restarts"], 5)
        self.assertEqual(told["interfaces"]["mirror0"], {"frames": 1000, "ring_octets": 4096})
        self.assertEqual(told["counters"]["records"], 7)
        self.assertEqual(told["interceptions"], [{"warrant": 3, "calls": 2}])
        self.assertEqual([(a["alarm"], a["of"], a["role"], a["index"], a["text"]) for a in told["alarms"]],
                         [("drops", "mirror0", "intercept", 0, "packets were dropped")])
        self.assertEqual(told["store"]["state"], "right")
        self.assertLess(told["store"]["last_seen"], told["store"]["lease_until"])
        self.assertEqual((told["table"]["in_force"], told["table"]["pending"], told["table"]["known"]), (1, 1, True))

    def test_nothing_of_anybody_is_in_it(self):
        _, status, metrics = self.control()
        for text in (self.otway(status, "--json").stdout, self.otway(status).stdout, get(metrics)[2]):
            for word in ("LIID", "bob", "ims.example", "Police", "Court"):
                self.assertNotIn(word, text)

    def test_people_read_lines(self):
        _, status, _ = self.control()
        done = self.otway(status)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("warrants: 1 in force, 1 pending", "warrant 3: 2 calls under way", "mirror0\tframes\t1000",
                     "intercept\t0\talive"):
            self.assertIn(line, done.stdout)
        self.assertRegex(done.stdout, r"ALARM drops mirror0 since \S+Z: packets were dropped")

    def test_nobody_who_answers_is_exit_code_6(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.assertEqual(self.otway(os.path.join(folder, "status")).returncode, 6)
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(os.path.join(folder, "left"))
        bound.close()
        done = self.otway(os.path.join(folder, "left"), "--json")
        self.assertEqual(done.returncode, 6)
        self.assertEqual(json.loads(done.stderr)["error"]["code"], 6)

    @unittest.skipUnless(os.geteuid() == 0, "root can be somebody else")
    def test_somebody_else_is_refused(self):
        _, status, _ = self.control()
        if not os.access(OTWAY, os.X_OK) or subprocess.run(["test", "-x", OTWAY], user=64993, check=False).returncode != 0:
            self.skipTest("others cannot run this build")
        self.assertEqual(self.otway(status, user=64993).returncode, 4)


def connect(place):
    if place.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(place[5:])  # waits where many wait outside
        s.settimeout(PATIENCE)
        return s
    host, port = place.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), PATIENCE)


def ask(place, request):
    """All that comes back."""
    with connect(place) as s:
        s.sendall(request)
        answer = b""
        try:
            while octets := s.recv(65536):
                answer += octets
        except ConnectionResetError:
            pass
    return answer


def get(place, target="/metrics", method="GET", version="1.1"):
    """(status, header fields, body)"""
    answer = ask(place, ("%s %s HTTP/%s\r\nHost: localhost\r\nAccept: */*\r\n\r\n" % (method, target, version)).encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    if int(fields["content-length"]) != len(body) and method != "HEAD":
        raise AssertionError("%s octets were said, %d came" % (fields["content-length"], len(body)))
    return int(lines[0].split()[1]), fields, body.decode()


class Metrics(Running):
    def test_a_strict_reader_finds_each_number_once_under_three_labels_alone(self):
        _, _, place = self.control()
        status, fields, text = get(place)
        self.assertEqual(status, 200)
        self.assertEqual(fields["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        found = prometheus.read(text)
        for _, samples in found.values():
            for labels in samples:
                self.assertIn({name for name, _ in labels}, ({"role", "index", "interface"}, {"role", "index"}, set()))
        intercept = (("index", "0"), ("role", "intercept"))
        on = lambda name: (("index", "0"), ("interface", name), ("role", "intercept"))
        self.assertEqual(found["otway_frames_total"], ("counter", {on("mirror0"): 1000, on("mirror1"): float(2**64 - 1)}))
        self.assertEqual(found["otway_ring_octets"], ("gauge", {on("mirror0"): 4096}))
        self.assertEqual(found["otway_queue_octets"][1][intercept], 7, "what is of no interface is added up")
        self.assertEqual(found["otway_role_restarts_total"][1][(("index", "0"), ("role", "keys"))], 5)
        self.assertEqual((found["otway_alarm_drops"], found["otway_alarm_store"]), (("gauge", {(): 1}), ("gauge", {(): 0})))
        self.assertEqual((found["otway_store_right"][1][()], found["otway_calls_under_warrant"][1][()]), (1, 2))
        self.assertGreater(found["otway_lease_left_seconds"][1][()], 3500)

    def test_what_a_name_means_that_is_not_of_this_version_is_not_guessed(self):
        _, _, place = self.control()
        said = dict(line[len("# HELP "):].split(" ", 1) for line in get(place)[2].splitlines() if line.startswith("# HELP "))
        self.assertEqual(said["otway_frames_total"], "Frames read.")
        self.assertEqual(said["otway_queue_octets"], "Octets of messages that the roles they are for have not taken yet.")
        self.assertEqual([name for name, text in said.items() if "by the name that it gives it" in text], ["otway_ring_octets"])

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not here")
    def test_promtool_has_nothing_to_say(self):
        _, _, place = self.control()
        done = subprocess.run(["promtool", "check", "metrics"], input=get(place)[2], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.stdout + done.stderr).splitlines(), [])

    def test_at_a_port_of_the_loopback_interface(self):
        for host, family in (("127.0.0.1", socket.AF_INET), ("[::1]", socket.AF_INET6)):
            with socket.socket(family) as s:
                try:
                    s.bind((host.strip("[]"), 0))
                except OSError:
                    continue
                place = "%s:%d" % (host, s.getsockname()[1])
            with self.subTest(place):
                self.control(place)
                for version in ("1.0", "1.1"):
                    status, _, text = get(place, version=version)
                    self.assertEqual(status, 200)
                    prometheus.read(text)

    def test_whatever_else_is_asked_is_told_so(self):
        _, _, place = self.control()
        self.assertEqual(get(place, "/")[0], 404)
        self.assertEqual(get(place, "/metricsandmore")[0], 404)
        self.assertEqual(get(place, "/metrics?name=x")[0], 200)
        self.assertEqual(get(place, method="POST")[0], 405)
        self.assertEqual(get(place, method="DELETE")[0], 405)
        status, fields, body = get(place, method="HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertGreater(int(fields["content-length"]), 100)
        self.assertIn(b" 400 ", ask(place, b"\x16\x03\x01\x00\x05hello\r\n\r\n").split(b"\r\n")[0])
        self.assertIn(b" 431 ", ask(place, b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 4000).split(b"\r\n")[0])
        self.assertEqual(get(place)[0], 200)

    def test_who_says_nothing_keeps_nobody_out(self):
        _, status, place = self.control()
        idle = [connect(place) for _ in range(28)]  # more than it takes in, fewer than wait outside
        begun = time.monotonic()
        self.assertEqual(self.otway(status).returncode, 0)
        self.assertLess(time.monotonic() - begun, 3, "status has a door of its own")
        self.assertEqual(get(place)[0], 200, "those who are too slow are hung up on")
        self.assertLess(time.monotonic() - begun, 20)
        for s in idle:
            s.close()


if __name__ == "__main__":
    unittest.main()
