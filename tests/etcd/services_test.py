"""Services register in etcd and stay registered, whatever becomes of either."""
import shutil
import socket
import subprocess
import time

from etcd.cluster import PM_SERVER, PLUGINS, Etcd, Registered, eventually


class Services(Registered):
    def test_a_service_registers_its_record_and_deregisters_when_it_drains(self):
        etcd, = self.cluster()
        server = self.service([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})
        server.terminate()
        self.assertEqual(server.wait(20), 0)
        self.assertEqual(etcd.keys(), {})

    def test_a_service_that_is_killed_is_gone_when_its_lease_ends(self):
        etcd, = self.cluster()
        server = self.service([etcd])
        eventually(etcd.keys)
        time.sleep(3)  # longer than the lease: it is kept alive
        self.assertIn(server.key, etcd.keys())
        server.kill()
        eventually(lambda: etcd.keys() == {})

    def test_a_service_goes_on_without_etcd_and_registers_again(self):
        etcd, = self.cluster()
        server = self.service([etcd])
        eventually(etcd.keys)
        etcd.stop()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.assertTrue(self.answers(server))
            time.sleep(0.1)
        # One that has forgotten everything.
        shutil.rmtree(etcd.directory)
        etcd.start([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})
        with open(server.log) as log:
            self.assertEqual(log.read().count("not registered, trying again"), 1)
        # And with none at all it stops in time.
        etcd.stop()
        server.terminate()
        self.assertEqual(server.wait(20), 0)

    def test_a_service_starts_without_etcd(self):
        etcd = Etcd(self.directory)
        self.addCleanup(etcd.stop)
        server = self.service([etcd])
        self.assertTrue(self.answers(server))
        etcd.start([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})

    def test_a_service_on_every_address_is_registered_under_one_that_others_reach(self):
        etcd, = self.cluster()
        self.service([etcd], host="0.0.0.0")
        self.assertEqual([each["host"] for each in eventually(etcd.keys).values()], [socket.gethostname()])
        told = self.service([etcd], host="0.0.0.0", **{"reached_at": "example.org"})
        self.assertEqual(eventually(lambda: etcd.keys().get(told.key))["host"], "example.org")

    def test_one_that_accepts_and_does_not_answer_blocks_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            etcd = Etcd(self.directory)
            etcd.client = f"http://127.0.0.1:{silent.getsockname()[1]}"
            server = self.service([etcd])
            self.assertTrue(self.answers(server))
            server.terminate()
            self.assertEqual(server.wait(20), 0)

    def test_bad_answers_harm_nothing(self):
        import http.server
        import threading
        answers = iter([b"", b"{", b"[]", b"{\"ID\":7}", b"null", b"{\"ID\":\"\"}", b"\xff" * 1000] * 1000)

        class Bad(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = next(answers)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        bad = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bad)
        threading.Thread(target=bad.serve_forever, daemon=True).start()
        self.addCleanup(bad.shutdown)
        etcd = Etcd(self.directory)
        etcd.client = f"http://127.0.0.1:{bad.server_address[1]}"
        server = self.service([etcd], ttl="1")
        for _ in range(20):
            self.assertTrue(self.answers(server))
            time.sleep(0.1)
        server.terminate()
        self.assertEqual(server.wait(20), 0)

    def test_the_next_member_is_asked_when_the_leader_is_killed(self):
        members = self.cluster(3)
        server = self.service(members, ttl="5")
        eventually(members[0].keys)
        status = members[0].answers()
        leader = next(each for each in members if each.answers()["header"]["member_id"] == status["leader"])
        leader.stop()
        left = [each for each in members if each is not leader]
        time.sleep(7)  # longer than the lease
        self.assertEqual(eventually(left[0].keys), {server.key: server.record})
        server.terminate()
        self.assertEqual(server.wait(20), 0)
        eventually(lambda: left[0].keys() == {})

    def test_settings_that_cannot_be_stop_the_start(self):
        for words, reason in (("ttl=0", "ttl must be 1-86400 seconds, got \"0\""), ("ttl=x,endpoints=http://x", "ttl must be"),
                              ("prefix=/x", "etcd needs an endpoint"), ("endpoints=x:1", "\"x:1\" is not an endpoint of etcd")):
            run = subprocess.run([PM_SERVER, "--config-dir", self.directory, "--plugin", f"{PLUGINS}/libberth-etcd.so={words}"],
                                 capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 1)
            self.assertIn(reason, run.stderr)
