"""IAdministrationServices: an administrator sets everything up without touching a file."""

import datetime
import subprocess
import urllib.error
import urllib.request

import harness
import wsi

PASSWORD = "a password of twelve and more"
ASKED = {"bOptin": False, "acceptDevicePolicy": 20, "testCycle": False}
RESET = "./LAWMO/Operations/FactoryReset"

CONFIGURATION = """[ca]
default_ca = own
[own]
database = index.txt
crlnumber = number
default_md = sha256
default_crl_days = 1
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
"""


def authority(name):
    """PEM texts of an authority: its certificate, one that it issued, and the list of what it revoked."""
    folder = harness.new_folder("authority")
    (folder / "ca.cnf").write_text(CONFIGURATION)
    (folder / "index.txt").write_text("")
    (folder / "number").write_text("01\n")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "1", "-subj", f"/CN={name} authority",
            "-extensions", "authority")
    openssl("req", *key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "0x1234",
            "-out", "leaf.pem", "-days", "1", "-extfile", "ca.cnf", "-extensions", "leaf")
    openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out", "crl.pem")
    return [(folder / file).read_text() for file in ["ca.pem", "leaf.pem", "crl.pem"]]


class Administration(wsi.Case):
    called = set()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.called = set()
        cls.system = Noting(cls.system, cls.called)

    def known(self, role):
        """Another caller whom the administrator lets in."""
        name = harness.new_name(role)
        self.system.createPrincipal(principal={"name": name, "grant": [{"role": role}]}, password=PASSWORD)
        system = wsi.ExternalSystem(self.server, self.version).login(name, PASSWORD)
        return name, Noting(system, self.called)

    def test_a_tenant_lives_through_its_operations(self):
        name = harness.new_name("tenant")
        made = self.system.createTenant(tenant={"name": name}, requestId=name)
        self.assertEqual((made.name, made.status, made.version), (name, "ACTIVE", 1))
        self.assertEqual(self.system.createTenant(tenant={"name": name}, requestId=name).createdAt, made.createdAt)
        with self.fault("AlreadyExists"):
            self.system.createTenant(tenant={"name": name})
        changed = self.system.updateTenant(tenant={"name": name, "status": "SUSPENDED", "version": 1})
        self.assertEqual((changed.status, changed.version), ("SUSPENDED", 2))
        self.assertEqual(self.system.getTenantByName(name=name).status, "SUSPENDED")
        self.assertIn(name, [one.name for one in self.system.getTenants().tenant])
        with self.fault("OutdatedVersion"):
            self.system.deleteTenant(name=name, version=1)
        self.system.deleteTenant(name=name, version=2)
        with self.fault("UnknownTenant"):
            self.system.getTenantByName(name=name)

    def test_a_role_and_who_was_given_it_live_through_their_operations(self):
        role = harness.new_name("night")
        self.assertEqual(self.system.createRole(role={"name": role, "right": ["device.read"]}).right, ["device.read"])
        name, partner = self.known(role)
        self.assertEqual([one.right for one in partner.getOwnRights().right], ["device.read"])
        self.system.updateRole(role={"name": role, "right": ["task.read"], "version": 1})
        self.assertEqual([one.right for one in partner.getOwnRights().right], ["task.read"])
        self.assertEqual(self.system.getRoleByName(name=role).right, ["task.read"])
        self.assertLessEqual({"administrator", role}, {one.name for one in self.system.getRoles().role})
        with self.fault("InUse"):
            self.system.deleteRole(name=role)
        with self.fault("WrongState"):
            self.system.updateRole(role={"name": "reader", "right": ["task.read"]})
        self.system.setPassword(name=name, password=PASSWORD + " anew")
        self.refused_to(partner.system, partner.getOwnRights, "NotAuthenticated")
        stored = self.system.getPrincipalByName(name=name)
        self.assertTrue(stored.hasPassword)
        with self.fault("OutdatedVersion"):
            self.system.updatePrincipal(principal={"name": name, "version": 99})
        changed = self.system.updatePrincipal(
            principal={"name": name, "enabled": False, "grant": [{"role": "reader"}], "version": stored.version})
        self.assertFalse(changed.enabled)
        self.assertIn(name, [one.name for one in self.system.getPrincipals().principal])
        self.system.deletePrincipal(name=name)
        with self.fault("UnknownPrincipal"):
            self.system.getPrincipalByName(name=name)
        self.system.deleteRole(name=role)
        with self.fault("UnknownRole"):
            self.system.getRoleByName(name=role)

    def status_with(self, key, path):
        request = urllib.request.Request(self.server.north + path, headers={"Authorization": f"Bearer {key}"})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code

    def test_an_api_key_reaches_as_far_as_it_was_made_for(self):
        made = self.system.createApiKey(name="shop", right=["device.read"])
        self.assertEqual(self.status_with(made.key, "/api/v1/devices"), 200)
        self.assertEqual(self.status_with(made.key, "/api/v1/tenants"), 403)
        self.assertIn(made.apiKey.keyId, [one.keyId for one in self.system.getApiKeys().apiKey])
        self.system.revokeApiKey(keyId=made.apiKey.keyId)
        self.assertEqual(self.status_with(made.key, "/api/v1/devices"), 401)
        with self.fault("UnknownCredential"):
            self.system.revokeApiKey(keyId="none")

    def test_certificates_are_trusted_bound_and_revoked(self):
        certificate, leaf, revoked = authority(harness.new_name("interop"))
        made = self.system.addTrustedCertificateAuthority(certificate=certificate, name="own")
        listed = self.system.getTrustedCertificateAuthorities().certificateAuthority
        self.assertIn(made.authorityId, [one.authorityId for one in listed])
        kept = self.system.setCertificateRevocationList(authorityId=made.authorityId, revocationList=revoked)
        self.assertTrue(kept.listMadeAt)
        with self.fault("InvalidArgument") as seen:
            self.system.addTrustedCertificateAuthority(certificate=leaf)
        self.assertEqual(seen.variables[0], "certificate")
        principal, _ = self.known("reader")
        name = {"nameKind": "DNS", "nameValue": f"{principal}.example"}
        self.system.bindCertificate(principal=principal, **name)
        finger = self.system.bindCertificate(principal=principal, certificate=leaf)
        self.system.unbindCertificate(**name)
        bound = self.system.getCertificates(principal=principal).certificateBinding
        self.assertEqual([one.nameValue for one in bound], [finger.nameValue])
        self.assertEqual(self.system.revokeCertificate(certificate=leaf, reason="lost").reason, "lost")
        self.assertIn("lost", [one.reason for one in self.system.getRevokedCertificates().revokedCertificate])
        self.system.removeTrustedCertificateAuthority(authorityId=made.authorityId)
        with self.fault("UnknownCredential"):
            self.system.setCertificateRevocationList(authorityId=made.authorityId, revocationList=revoked)

    def test_an_identity_provider_lives_through_its_operations(self):
        name = harness.new_name("corp")
        given = {"name": name, "issuer": f"https://{name}.example", "clientId": "muster"}
        made = self.system.createIdentityProvider(identityProvider=given)
        changed = self.system.updateIdentityProvider(
            identityProvider={**given, "displayName": "Corp", "version": made.version})
        self.assertEqual(changed.displayName, "Corp")
        self.assertIn(name, [one.name for one in self.system.getIdentityProviders().identityProvider])
        self.system.deleteIdentityProvider(name=name)
        with self.fault("UnknownCredential"):
            self.system.deleteIdentityProvider(name=name)

    def test_a_callback_address_and_its_queue_are_managed(self):
        address = f"https://{harness.new_name('partner')}.example/hooks"
        made = self.system.createCallbackAddress(
            callbackAddress={"address": address, "kind": "WEBHOOK", "secret": "0123456789abcdef"})
        named = {"callbackAddressId": made.callbackAddressId}
        self.assertIsNone(self.system.getCallbackAddressById(**named).secret)
        rotated = self.system.rotateCallbackSecret(**named, overlapSeconds=60)
        self.assertNotEqual(rotated.secret, "0123456789abcdef")
        changed = self.system.updateCallbackAddress(callbackAddress={
            **named, "address": address, "kind": "WEBHOOK", "enabled": False, "version": rotated.version})
        self.assertFalse(changed.enabled)
        listed = self.system.getCallbackAddresses(kind="WEBHOOK").callbackAddress
        self.assertIn(made.callbackAddressId, [one.callbackAddressId for one in listed])
        queues = self.system.getCallbackQueues().callbackQueue
        self.assertNotIn(made.callbackAddressId, [one.callbackAddressId for one in queues])
        self.assertEqual(self.system.getDeadLetters(**named).totalCount, 0)
        self.assertEqual(self.system.replayDeadLetters(**named), 0)
        self.system.deleteCallbackAddress(**named)
        with self.fault("UnknownCallbackAddress"):
            self.system.getCallbackAddressById(**named)

    def test_what_is_dangerous_waits_for_a_second_person(self):
        (_, asks), (second_name, second) = self.known("care"), self.known("approver")
        device = harness.new_device()
        self.enrol(device)
        rules = {rule.operationClass: rule.required for rule in self.system.getApprovalPolicy().rule}
        self.assertTrue(rules["FACTORY_RESET"])
        self.assertEqual(self.system.setApprovalPolicy(approvalPolicy={"lifeHours": 8}).lifeHours, 8)

        def reset():
            task = asks.doOperation(operation="EXECUTE", deviceID=device.device_id, **ASKED,
                                    arguments={"parameter": [{"path": RESET}]})
            approval, = second.getApprovals(status=["PENDING"], taskId=task).approval
            return task, approval.approvalId

        task, approval = reset()
        self.refused_to(asks.system, lambda: asks.approve(approvalId=approval), "NotAuthorized")
        self.assertEqual(second.approve(approvalId=approval, reason="seen").decidedBy, second_name)
        self.assertEqual(asks.getTaskById(taskId=task).status, "SCHEDULED")
        task, approval = reset()
        self.assertEqual(second.refuse(approvalId=approval, reason="no").status, "REFUSED")
        self.assertEqual(asks.getTaskById(taskId=task).status, "REJECTED")
        _, approval = reset()
        asks.withdraw(approvalId=approval)
        self.assertEqual(second.getApprovalById(approvalId=approval).status, "WITHDRAWN")
        self.refused_to(second.system, lambda: second.approve(approvalId="none"), "UnknownApproval")

    def test_a_quota_is_set_counted_and_enforced(self):
        name, bounded = self.known("care")
        device = harness.new_device()
        self.enrol(device)
        self.system.setQuota(kind="OPEN_TASKS", limit=1, principal=name)
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        ask = lambda: bounded.doOperation(
            operation="SESSION", deviceID=device.device_id, schedule={"startTime": later}, **ASKED)
        ask()
        seen = self.refused_to(bounded.system, ask, "QuotaExceeded")
        self.assertEqual(seen.variables[:2], ["OPEN_TASKS", "1"])
        quotas = {one.kind: (one.limit, one.used) for one in self.system.getQuotas(principal=name).quota}
        self.assertEqual(quotas["OPEN_TASKS"], (1, 1))

    def test_what_was_done_is_audited_charged_and_can_be_erased(self):
        device, = self.fleet(harness.new_device())
        task = self.system.operate(device, "SESSION")
        self.assertEqual(self.system.final_task(task).status, "SUCCEEDED")
        oid = self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id).oid
        about = {"objectKind": "device", "objectId": oid}
        entry, *_ = self.system.getAuditEntries(**about).auditEntry
        self.assertEqual((entry.operation, entry.actor, entry.face), ("createDeviceInstance", "admin", "SOAP"))
        before = self.system.verifyAuditLog()
        self.assertTrue(before.valid)
        first = self.system.getChargeableEvents(limit=1)
        self.assertEqual(len(first.chargeableEvent), 1)
        rest = self.system.getChargeableEvents(limit=1000, afterEventId=first.lastEventId).chargeableEvent
        self.assertIn(task, [one.taskId for one in [*first.chargeableEvent, *rest]])
        receipt = self.system.erasePersonalData(deviceID=[device.device_id], phoneNumber=[device.phone_number])
        self.assertGreaterEqual(receipt.entryCount, 1)
        entry, *_ = self.system.getAuditEntries(**about).auditEntry
        self.assertNotIn(device.phone_number, entry.personal or "")
        self.assertTrue(self.system.verifyAuditLog(anchor=before.head).valid)

    def test_with_all_that_no_operation_is_left_out(self):
        """By its name the last one, after all the others."""
        self.assertEqual(set(self.system.operations_of("IAdministrationServices")) - self.called, set())


class Noting:
    """An External System that notes which operations it called."""

    def __init__(self, system, called):
        self.system = system
        self.called = called

    def __getattr__(self, name):
        if name in self.system.ports:
            self.called.add(name)
        return getattr(self.system, name)


class Administration12(Administration):
    version = "1.2"
