"""A throw-away certificate authority, in files that go with the test.

    authority = Authority(cls)                      # a TestCase class, or a test
    files = authority.issue("app.example")          # .certificate_file and .private_key_file
    context = files.server()                        # for an upstream that speaks TLS
    context = authority.client()                    # trusts this authority alone
"""

import datetime
import ipaddress
import os
import shutil
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Files:
    """A certificate and its key on disk."""

    def __init__(self, certificate_file, private_key_file, serial):
        self.certificate_file, self.private_key_file = certificate_file, private_key_file
        self.serial = serial

    def config(self, **more):
        return {"certificate_file": self.certificate_file,
                "private_key_file": self.private_key_file, **more}

    def server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file, self.private_key_file)
        return context

    def copy_over(self, other):
        """Puts this pair in the place of the other's files, each by a rename, the key first."""
        for source, target in ((self.private_key_file, other.private_key_file),
                               (self.certificate_file, other.certificate_file)):
            shutil.copyfile(source, target + ".new")
            os.replace(target + ".new", target)
        other.serial = self.serial


class Authority:
    """case: a TestCase class or a running test; the files go with it."""

    def __init__(self, case, name="test authority"):
        self.directory = tempfile.mkdtemp(prefix="signet-test-ca-")
        cleanup = getattr(case, "addClassCleanup" if isinstance(case, type) else "addCleanup")
        cleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name, self.count = _name(name), 0
        builder = self._builder(self.name, self.key.public_key(), 30)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        builder = builder.add_extension(x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
            encipher_only=False, decipher_only=False), critical=True)
        self.ca_file = self._write("ca.pem", self._signed(builder))

    def _builder(self, subject, public_key, days):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                .public_key(public_key).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=31))
                .not_valid_after(now + datetime.timedelta(days=days)))

    def _signed(self, builder):
        self.last = builder.sign(self.key, hashes.SHA256())
        return self.last.public_bytes(serialization.Encoding.PEM)

    def _write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def issue(self, *names, days=1, client=False, kind="EC"):
        """A certificate for these host names and addresses. days below 0: expired; kind: EC | RSA."""
        self.count += 1
        key = (rsa.generate_private_key(65537, 2048) if kind == "RSA"
               else ec.generate_private_key(ec.SECP256R1()))
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = self._builder(_name(names[0]), key.public_key(), days)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([self._alternative(n) for n in names]), critical=False)
        return Files(self._write("%d.pem" % self.count, self._signed(builder)),
                     self._write("%d.key" % self.count, _pem(key)), self.last.serial_number)

    @staticmethod
    def _alternative(name):
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    def client(self, identity=None):
        """A client's context that trusts this authority alone. identity: Files of a client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca_file)
        if identity is not None:
            context.load_cert_chain(identity.certificate_file, identity.private_key_file)
        return context


def served_serial(tls_socket):
    """The serial number of the certificate that the peer showed."""
    return x509.load_der_x509_certificate(tls_socket.getpeercert(binary_form=True)).serial_number
