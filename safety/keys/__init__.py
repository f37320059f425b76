"""Keys: where they come from, what is derived from them, and how bytes are sealed under them.

::

    key source (passphrase, key file, recovery code)      sources, recovery, kdf
      └── opens a slot of keys.json: the root key         slots, ring
            ├── "file"   key of the SQLCipher file
            ├── "kek"    wraps one random data key a patient ── seals fields      sealing
            ├── "index"  blind index of record numbers                            derivation
            ├── "draft"  seals drafts, which may have no patient yet
            └── "wrap"   wraps the audit key and the checkpoint key (both random)

One key, one use. Account passwords (``passwords``) open no key; they only say who is asking.
"""
