"""ISessionServices, and the other ways a caller says who it is."""

import base64
import datetime

from zeep.exceptions import Fault

import harness
import wsi

GET_SERVICE_INFO = "<m:getServiceInfo/>"


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc)


class Sessions(wsi.Case):
    def test_login_gives_a_session_that_ends_later(self):
        session = wsi.ExternalSystem(self.server, self.version).login().user_session
        self.assertEqual(session.userName, harness.ADMIN_NAME)
        # 128 bits take at least 22 characters of base64.
        self.assertGreaterEqual(len(session.sessionId), 22)
        left = session.expiresAt - utc_now()
        self.assertLess(datetime.timedelta(minutes=1), left)
        self.assertLessEqual(left, datetime.timedelta(hours=12))

    def test_two_logins_give_two_sessions(self):
        first = wsi.ExternalSystem(self.server, self.version).login().user_session
        self.assertNotEqual(first.sessionId, self.system.user_session.sessionId)

    def test_renewed_session_is_the_same_and_ends_no_sooner(self):
        before = self.system.user_session
        renewed = self.system.renewSession()
        self.assertEqual(renewed.sessionId, before.sessionId)
        self.assertGreaterEqual(renewed.expiresAt, before.expiresAt)

    def test_session_that_was_ended_is_refused_and_ending_it_again_is_no_error(self):
        other = wsi.ExternalSystem(self.server, self.version).login()
        other.logout()
        with self.assertRaises(Fault):
            other.getServiceInfo()
        seen = wsi.read_fault(wsi.Reply(0, {}, other.last.content, self.version).child, self.version)
        self.assertIn(seen.name, ["SessionExpired", "NotAuthenticated"])
        self.assert_fault(seen, other.last.status_code, seen.name, self.version)
        other.logout()

    def test_ending_a_session_nobody_opened_tells_nothing(self):
        self.system.logout(userSession={"sessionId": "A" * 43})

    def test_session_nobody_opened_is_refused(self):
        with self.assertRaises(Fault):
            self.system.getServiceInfo(userSession={"sessionId": "A" * 43})
        seen = wsi.read_fault(wsi.Reply(0, {}, self.system.last.content, self.version).child, self.version)
        self.assertIn(seen.name, ["SessionExpired", "NotAuthenticated"])

    def test_wrong_name_and_wrong_password_are_told_in_the_same_words(self):
        texts = []
        for name, password in [(harness.new_name("stranger"), "x"), (harness.ADMIN_NAME, "wrong")]:
            with self.fault("NotAuthenticated") as seen:
                self.system.login(name, password)
            texts.append(seen.text)
        self.assertEqual(texts[0], texts[1])
        # The right password of a pair that is not locked works at once.
        wsi.ExternalSystem(self.server, self.version).login()

    def test_service_info_tells_contract_product_and_clock(self):
        info = self.system.getServiceInfo()
        self.assertRegex(info.contractVersion, r"^1\.\d+$")
        self.assertIn("muster", info.productVersion.lower())
        self.assertTrue(info.serverId)
        self.assertGreater(info.maxRequestBytes, 0)
        self.assertLess(abs(info.serverTime - utc_now()), datetime.timedelta(minutes=1))
        self.assertNotIn("CARRIER_CALLBACK", info.feature)


class SessionsSoap12(Sessions):
    version = "1.2"


class Lockout(wsi.Case):
    def test_ten_refusals_lock_the_name_and_say_for_how_long(self):
        name = harness.new_name("intruder")
        for _ in range(10):
            with self.fault("NotAuthenticated"):
                wsi_login(self.system, name)
        with self.fault("LockedOut") as seen:
            wsi_login(self.system, name)
        self.assertGreater(seen.retryAfterSeconds, 0)
        self.assertLessEqual(seen.retryAfterSeconds, 15 * 60)
        # Another name is not concerned.
        wsi.ExternalSystem(self.server, self.version).login()


def wsi_login(system, name):
    system.ports["login"].login(userName=name, password="wrong")


class Credentials(wsi.Case):
    def test_basic_credentials_take_the_place_of_a_session(self):
        system = wsi.ExternalSystem(self.server, self.version, basic=(harness.ADMIN_NAME, harness.ADMIN_PASSWORD))
        self.assertTrue(system.getServiceInfo().serverId)

    def test_username_token_takes_the_place_of_a_session(self):
        system = wsi.ExternalSystem(self.server, self.version, wsse=wsi.username_token())
        self.assertTrue(system.getServiceInfo().serverId)
        self.assertEqual(system.getJobs(owner=harness.new_name("nobody")).totalCount, 0)

    def test_session_and_basic_of_one_principal_go_together(self):
        system = wsi.ExternalSystem(self.server, self.version, basic=(harness.ADMIN_NAME, harness.ADMIN_PASSWORD))
        system.login()
        self.assertTrue(system.getServiceInfo().serverId)

    def test_wrong_username_token_is_a_fault_of_ws_security(self):
        wrong = wsi.username_token(harness.new_name("stranger"), "x")
        system = wsi.ExternalSystem(self.server, self.version, wsse=wrong)
        with self.assertRaises(Fault):
            system.getServiceInfo()
        seen = wsi.read_fault(wsi.Reply(0, {}, system.last.content, self.version).child, self.version)
        if self.version == "1.1":
            self.assertEqual(seen.code, "FailedAuthentication")
            self.assertIsNone(seen.element)
            self.assertEqual(system.last.status_code, 500)
        else:
            self.assertEqual((seen.code, seen.subcode), ("Sender", "FailedAuthentication"))
            self.assertEqual(seen.element, "PolicyException")
            self.assertEqual(system.last.status_code, 400)

    def test_no_credentials_at_all_ask_for_basic(self):
        reply = wsi.post(self.server, wsi.envelope(GET_SERVICE_INFO, self.version), self.version)
        self.assertEqual(reply.status, 401)
        self.assertTrue(reply.headers["WWW-Authenticate"].startswith("Basic "))
        self.assertEqual(reply.fault.name, "NotAuthenticated")
        self.assertEqual(reply.fault.messageId, "DMP0001")

    def test_wrong_basic_credentials_are_refused(self):
        credentials = base64.b64encode(f"{harness.new_name('stranger')}:x".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}"}
        reply = wsi.post(self.server, wsi.envelope(GET_SERVICE_INFO, self.version), self.version, headers=headers)
        self.assert_raw_fault(reply, "NotAuthenticated")

    def test_unreadable_basic_credentials_are_refused(self):
        for value in ["Basic", "Basic ###", "Basic " + base64.b64encode(b"no colon").decode(), "Bearer x"]:
            with self.subTest(value=value):
                envelope = wsi.envelope(GET_SERVICE_INFO, self.version)
                reply = wsi.post(self.server, envelope, self.version, headers={"Authorization": value})
                self.assertEqual(reply.fault.name, "NotAuthenticated")


class CredentialsSoap12(Credentials):
    version = "1.2"
