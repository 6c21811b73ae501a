"""SHA-256 and BLAKE2b without OpenSSL: ``hashlib`` loads it, which every command would wait for.

Python's own ``random`` takes the same way. BLAKE2b takes a third of the time of this SHA-256; it is
for what is compared and not kept.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    try:
        from _sha2 import sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256  # Python 3.11
        except ImportError:
            from hashlib import sha256

__all__ = ["blake2b", "sha256"]
