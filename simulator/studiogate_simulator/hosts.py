"""The hosts that the simulator plays, told apart by the Host header."""

from typing import Final

PAGE_HOST: Final = "aistudio.google.com"
ACCOUNTS_HOST: Final = "accounts.google.com"
RPC_HOST: Final = "alkalimakersuite-pa.clients6.google.com"

DRIVE_HOSTS: Final = ("www.googleapis.com", "content.googleapis.com")
"""Where the page may upload files to; both are in use upstream."""

PLAYED_HOSTS: Final = (PAGE_HOST, ACCOUNTS_HOST, RPC_HOST, *DRIVE_HOSTS)
"""Every name that the certificate has to cover besides loopback."""

PAGE_ORIGIN: Final = f"https://{PAGE_HOST}"
"""The one origin that the RPC host answers cross-origin requests from."""

SERVICE_PATH: Final = "/$rpc/google.internal.alkali.applications.makersuite.v1.MakerSuiteService/"
"""Path prefix of every RPC; the method's name follows."""
