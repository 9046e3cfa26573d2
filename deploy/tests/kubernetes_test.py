#!/usr/bin/python3
"""deploy/kubernetes/sidecar.yaml: Signet stands in front, the application cannot be reached but through it, and the
configuration in it is one that Signet accepts. SIGNET_BIN names the program; default build/signet."""
import copy
import ipaddress
import os
import re
import subprocess
import tempfile
import unittest
import urllib.parse

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MANIFEST = os.path.join(ROOT, "deploy", "kubernetes", "sidecar.yaml")
PROGRAM = os.path.abspath(os.environ.get("SIGNET_BIN", os.path.join(ROOT, "build", "signet")))


class Manifest:
    def __init__(self, documents):
        self.documents = documents
        self.pod = self.one("Deployment")["spec"]["template"]["spec"]
        self.config_text = self.one("ConfigMap")["data"]["signet.yaml"]
        self.config = yaml.safe_load(self.config_text)
        self.sidecar = next(one for one in self.pod["initContainers"] if one["name"] == "signet")
        self.applications = self.pod["containers"]

    @classmethod
    def read(cls):
        with open(MANIFEST, encoding="utf-8") as file:
            return cls([document for document in yaml.safe_load_all(file) if document])

    def one(self, kind):
        found = [document for document in self.documents if document["kind"] == kind]
        assert len(found) == 1, f"{len(found)} of {kind}"
        return found[0]

    def upstream(self):
        return urllib.parse.urlsplit(self.config["upstream"])

    def port_number(self, port):
        """A port as probes, Services and policies name it -> its number, if it is one of Signet's."""
        ports = self.sidecar["ports"]
        return next((one["containerPort"] for one in ports if port in (one["name"], one["containerPort"])), None)


def port_of(address):
    return int(address.rsplit(":", 1)[1])


def ways_round(manifest):
    """Each way by which a request could reach an application without passing Signet, in words."""
    upstream = manifest.upstream()
    if not ipaddress.ip_address(upstream.hostname).is_loopback:
        yield f"the upstream {upstream.netloc} is not on loopback"
    if manifest.pod.get("hostNetwork"):
        yield "hostNetwork: the node's loopback is shared by more than this pod"
    listens = []
    for container in manifest.applications:
        if container.get("ports"):
            yield f"{container['name']} declares ports of its own"
        said = [entry.get("value", "") for entry in container.get("env", [])] + container.get("args", []) + container.get("command", [])
        listens += [word for word in said if re.search(rf":{upstream.port}$", word)]
        for word in said:
            if re.search(r"(^|[=:/ ])(0\.0\.0\.0|\*|\[?::\]?)(:|$)", word):
                yield f"{container['name']} is told to listen everywhere: {word}"
    if not any(re.search(rf"(^|[=/ ])(127\.0\.0\.1|localhost|\[::1\]):{upstream.port}$", word) for word in listens):
        yield f"no application is told to listen on loopback, port {upstream.port}"
    for container in manifest.pod["initContainers"] + manifest.applications:
        for port in container.get("ports", []):
            if port["containerPort"] == upstream.port:
                yield f"{container['name']} declares the application's port"
            if port.get("hostPort"):
                yield f"{container['name']} opens a port of the node"
    for port in manifest.one("Service")["spec"]["ports"]:
        if manifest.port_number(port.get("targetPort", port["port"])) != port_of(manifest.config["listen"]):
            yield f"the Service's port {port['port']} does not lead to Signet's listener"
    for rule in manifest.one("NetworkPolicy")["spec"]["ingress"]:
        if not rule.get("ports"):
            yield "the NetworkPolicy lets every port in"
        for port in rule.get("ports", []):
            if manifest.port_number(port["port"]) not in (port_of(manifest.config["listen"]), port_of(manifest.config["health"])):
                yield f"the NetworkPolicy lets in port {port['port']}, which is not Signet's"


class NobodyGoesRound(unittest.TestCase):
    def test_the_manifest_as_it_is(self):
        self.assertEqual(list(ways_round(Manifest.read())), [])

    def test_the_admin_listener_stays_in_the_pod(self):
        manifest = Manifest.read()
        admin = manifest.config["admin"]
        if admin not in (False, "off"):
            address = admin if isinstance(admin, str) else admin["address"]
            self.assertTrue(ipaddress.ip_address(address.rsplit(":", 1)[0]).is_loopback)
            self.assertIsNone(manifest.port_number(port_of(address)))

    def test_that_each_way_round_would_be_seen(self):
        def change(how):
            manifest = Manifest(copy.deepcopy(Manifest.read().documents))
            how(manifest)
            return list(ways_round(manifest))

        def application(manifest):
            return manifest.applications[0]

        for how in (
            lambda m: application(m)["env"].__setitem__(0, {"name": "LISTEN", "value": "0.0.0.0:3000"}),
            lambda m: application(m)["env"].__setitem__(0, {"name": "LISTEN", "value": ":3000"}),
            lambda m: application(m)["env"].__setitem__(0, {"name": "LISTEN", "value": "[::]:3000"}),
            lambda m: application(m).update(env=[]),
            lambda m: application(m).update(args=["--listen=0.0.0.0:3000"]),
            lambda m: application(m).update(ports=[{"containerPort": 3000}]),
            lambda m: m.sidecar["ports"].append({"name": "application", "containerPort": 3000}),
            lambda m: m.sidecar["ports"][0].update(hostPort=80),
            lambda m: m.pod.update(hostNetwork=True),
            lambda m: m.one("Service")["spec"]["ports"].append({"port": 81, "targetPort": 3000}),
            lambda m: m.one("Service")["spec"]["ports"].append({"port": 82, "targetPort": "health"}),
            lambda m: m.one("NetworkPolicy")["spec"]["ingress"].append({}),
            lambda m: m.one("NetworkPolicy")["spec"]["ingress"][0]["ports"].append({"port": 3000}),
            lambda m: m.config.update(upstream="http://10.0.0.7:3000"),
        ):
            self.assertNotEqual(change(how), [])


class Sidecar(unittest.TestCase):
    def setUp(self):
        self.manifest = Manifest.read()
        self.sidecar = self.manifest.sidecar

    def test_is_a_native_sidecar_and_the_first_to_start(self):
        self.assertEqual(self.sidecar["restartPolicy"], "Always")
        self.assertIs(self.manifest.pod["initContainers"][0], self.sidecar)

    def test_probes_ask_the_health_listener(self):
        health = port_of(self.manifest.config["health"])
        self.assertEqual(health, 9902)
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            asked = self.sidecar[probe]["httpGet"]
            self.assertEqual((asked["path"], self.manifest.port_number(asked["port"])), (path, health), probe)

    def test_the_application_is_probed_without_a_port(self):
        for container in self.manifest.applications:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertIn(list(container.get(probe, {"exec": {}}))[0], ("exec",))

    def test_ports_are_those_that_signet_listens_on(self):
        declared = {port["containerPort"] for port in self.sidecar["ports"]}
        self.assertEqual(declared, {port_of(self.manifest.config[name]) for name in ("listen", "health")})

    def test_configuration_and_state_are_mounted(self):
        mounts = {mount["mountPath"]: mount for mount in self.sidecar["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in self.manifest.pod["volumes"]}
        self.assertEqual(volumes[mounts["/etc/signet"]["name"]]["configMap"]["name"], self.manifest.one("ConfigMap")["metadata"]["name"])
        self.assertIn(mounts[self.manifest.config["state_dir"]]["name"], volumes)
        self.assertEqual(self.sidecar["args"], ["run", "-c", "/etc/signet/signet.yaml"])

    def test_meets_the_restricted_pod_security_standard(self):
        pod = self.manifest.pod["securityContext"]
        self.assertTrue(pod["runAsNonRoot"])
        self.assertNotEqual(pod["runAsUser"], 0)
        self.assertEqual(pod["seccompProfile"]["type"], "RuntimeDefault")
        self.assertIs(self.manifest.pod["automountServiceAccountToken"], False)
        for container in self.manifest.pod["initContainers"] + self.manifest.applications:
            context = container["securityContext"]
            self.assertIs(context["allowPrivilegeEscalation"], False)
            self.assertIs(context["readOnlyRootFilesystem"], True)
            self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
            self.assertIn("memory", container["resources"]["limits"])
            self.assertIn("cpu", container["resources"]["requests"])

    def test_selectors_meet_the_pod(self):
        labels = self.manifest.one("Deployment")["spec"]["template"]["metadata"]["labels"]
        for selector in (self.manifest.one("Deployment")["spec"]["selector"]["matchLabels"],
                         self.manifest.one("Service")["spec"]["selector"],
                         self.manifest.one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"]):
            self.assertLessEqual(selector.items(), labels.items())

    def test_there_is_time_to_drain(self):
        drain = int(self.manifest.config["timeouts"]["drain"].rstrip("s"))
        self.assertGreater(self.manifest.pod["terminationGracePeriodSeconds"], drain + 5)

    def test_signet_accepts_the_configuration(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(self.manifest.config_text)
            file.flush()
            checked = subprocess.run([PROGRAM, "check", "-c", file.name], check=False, capture_output=True, text=True, timeout=30)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
