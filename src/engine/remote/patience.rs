//! How long a server is waited for.

use std::time::Duration;

/// How long a server is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until it takes a connection.
    pub connect: Duration,
    /// Until it says something.
    pub read: Duration,
    /// Until its answer is whole.
    pub whole: Duration,
}

impl Patience {
    pub(super) const USUAL: Patience = Patience {
        connect: Duration::from_secs(5),
        read: Duration::from_secs(30),
        whole: Duration::from_secs(60),
    };
}
