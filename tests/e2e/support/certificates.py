"""A certificate authority that the tests make: ECDSA, host names in the SAN, and the ways in which one can be wrong."""
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Certificate:
    """Paths of a certificate and its key, both PEM."""

    def __init__(self, folder, stem, certificate, key):
        self.path = folder / f"{stem}.pem"
        self.key_path = folder / f"{stem}-key.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


class Authority:
    def __init__(self, folder, name="Tidepool test CA"):
        self._folder = folder
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issued = 0
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            self._builder(self._name, self._key.public_key(), now - DAY, now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = Certificate(folder, "ca", certificate, self._key).path

    def _builder(self, subject, public_key, begin, end):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )

    def issue(self, *names, expired=False):
        """For those host names and addresses, the first of which is the common name; an expired one ended yesterday."""
        self._issued += 1
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        end = now - DAY if expired else now + 30 * DAY
        certificate = (
            self._builder(_name(names[0]), key.public_key(), now - 2 * DAY, end)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return Certificate(self._folder, f"server-{self._issued}", certificate, key)
