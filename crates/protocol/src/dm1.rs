//! OMA DM 1.x: the server's session machine and authentication, sans-IO.
