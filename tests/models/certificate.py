"""A certificate for 127.0.0.1 that signed itself, and its key: of no use but to these tests.

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
    -addext subjectAltName=IP:127.0.0.1 -addext keyUsage=critical,digitalSignature,keyCertSign
"""

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBnzCCAUSgAwIBAgIUNsL7r/cxEc/u3L5e2SmPHO/yBjIwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIYW14IHRlc3QwIBcNMjYxMTI0MTYwNTE5WhgPMjEyNjEwMzEx
NjA1MTlaMBMxETAPBgNVBAMMCGFteCB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE8rVgOHg2nhqHm9j3BMWraO3i0+pXin9+9KBbpCojCdP0bSdCGyZ9+fIq
3xfuGjqawiYWzSwyeTeAP0omFoEfoaN0MHIwHQYDVR0OBBYEFK5eJjnCXbWLHAjD
E5Pbnk96YTZpMB8GA1UdIwQYMBaAFK5eJjnCXbWLHAjDE5Pbnk96YTZpMA8GA1Ud
EwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAOBgNVHQ8BAf8EBAMCAoQwCgYI
KoZIzj0EAwIDSQAwRgIhALNRgMpWdtJ6Uso/WfDmiAruW6BaJt3Jwj33p8Lx/LfO
AiEAli/w12VczmukifF6S9r0m4qt8yoHCvoLLIzhRi8o0B4=
-----END CERTIFICATE-----
"""

PRIVATE_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgo7pQtgAmDJSoIgDu
e8tz+c/trvVGDit1bQVNd4naEsyhRANCAATytWA4eDaeGoeb2PcExato7eLT6leK
f370oFukKiMJ0/RtJ0IbJn358irfF+4aOprCJhbNLDJ5N4A/SiYWgR+h
-----END PRIVATE KEY-----
"""
