"""Packages that read, query, write and sign XML."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.packages import keys
from tests.packages.actions import value_of


def test_xmldom_and_xpath() -> None:
    body = """
const { DOMParser, XMLSerializer } = require('@xmldom/xmldom'); const xpath = require('xpath');
const doc = new DOMParser().parseFromString('<book xmlns:x="urn:x"><title>Harry</title><x:a n="1"/></book>', 'text/xml');
const select = xpath.useNamespaces({ y: 'urn:x' });
doc.documentElement.setAttribute('lang', 'en');
return [xpath.select('//title/text()', doc)[0].nodeValue, xpath.select('string(//title)', doc), select('//y:a/@n', doc)[0].value,
  new XMLSerializer().serializeToString(doc)];
"""
    for version in ("0.9.12", "0.8.11"):
        assert value_of(body, f"@xmldom/xmldom@{version}", "xpath@0.0.34") == [
            "Harry", "Harry", "1", '<book xmlns:x="urn:x" lang="en"><title>Harry</title><x:a n="1"/></book>',
        ]  # fmt: skip


def test_xml2js() -> None:
    body = """
const xml2js = require('xml2js'); const { parseString } = xml2js;
const seen = await new Promise((done, fail) => parseString('<root>Hello <b a="1">xml2js!</b></root>', (e, r) => (e ? fail(e) : done(r))));
const promised = await xml2js.parseStringPromise('<a><b>1</b><b>2</b></a>', { explicitArray: false });
const built = new xml2js.Builder({ headless: true, renderOpts: { pretty: false } }).buildObject({ root: { x: [1, 2] } });
return [seen, promised, built];
"""
    assert value_of(body, "xml2js@0.6.2") == [
        {"root": {"_": "Hello ", "b": [{"_": "xml2js!", "$": {"a": "1"}}]}}, {"a": {"b": ["1", "2"]}},
        "<root><x>1</x><x>2</x></root>",
    ]  # fmt: skip


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, keys.private_key().public_key(), 1, now, now + dt.timedelta(days=1)
    ).sign(keys.private_key(), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_xml_crypto_signs_and_verifies() -> None:
    body = """
const { SignedXml } = require('xml-crypto'); const { DOMParser } = require('@xmldom/xmldom'); const xpath = require('xpath');
const sig = new SignedXml({ privateKey: event.private, publicCert: event.cert,
  signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#' });
sig.addReference({ xpath: "//*[local-name(.)='book']", digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  transforms: ['http://www.w3.org/2001/10/xml-exc-c14n#'] });
sig.computeSignature('<library><book Id="b1"><name>Harry Potter</name></book></library>');
const xml = sig.getSignedXml();
const check = (text) => {
  const doc = new DOMParser().parseFromString(text, 'text/xml');
  const node = xpath.select1("//*[local-name(.)='Signature']", doc);
  const verifier = new SignedXml({ publicCert: event.cert }); verifier.loadSignature(node);
  try { return verifier.checkSignature(text); } catch (e) { return false; }
};
return [check(xml), check(xml.replace('Harry', 'Hairy'))];
"""
    event = {"private": keys.private_pem(), "cert": certificate()}
    assert value_of(body, "xml-crypto@6.3.2", "@xmldom/xmldom@0.9.12", "xpath@0.0.34", event=event) == [
        True,
        False,
    ]
