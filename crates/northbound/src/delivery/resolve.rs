//! From names to addresses.

use std::net::SocketAddr;
use std::pin::Pin;

/// Addresses on their way.
pub type Resolving<'r> = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send + 'r>>;

/// Looks names up. What it gives is checked and connected to as it is; nothing is looked up a second time.
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, with `port`.
    fn resolve<'r>(&'r self, host: &'r str, port: u16) -> Resolving<'r>;
}

/// The resolver of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'r>(&'r self, host: &'r str, port: u16) -> Resolving<'r> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}
