//! Lists in pages.
//!
//! Source: DM WSI contract, section 3, "Paging".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fault::{Fault, FaultName};
use crate::ports::Vault;

/// Which part of a list a caller wants, as the store takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most entries, 1 to [`Page::SIZE_MAX`].
    pub size: u32,
    /// Go on after the entry with this key; from the beginning when absent.
    pub after: Option<String>,
}

/// One page of a list, as the store gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// Entries.
    pub items: Vec<T>,
    /// Entries in the whole list when this page was made.
    pub total: u64,
    /// Key of the last entry, where more follow.
    pub next: Option<String>,
}

/// One page of a list, as a caller gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    /// Entries.
    pub items: Vec<T>,
    /// Entries in the whole list when this page was made.
    pub total: u64,
    /// Present where more follow.
    pub next_token: Option<String>,
}

/// What a caller asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// `pageSize`.
    pub size: Option<i32>,
    /// `pageToken`.
    pub token: Option<String>,
}

impl Page {
    /// Entries when `pageSize` is left out.
    pub const SIZE: u32 = 100;
    /// Most entries; more is lowered to this.
    pub const SIZE_MAX: u32 = 1000;

    /// Reads a request for a page of the list that `scope` names: caller, list and filter, so that a token of
    /// another list is refused.
    ///
    /// # Errors
    /// `InvalidArgument` for a size below 1, `InvalidPageToken` for a token that is not of this list.
    pub fn read(request: &PageRequest, scope: &str, vault: &dyn Vault) -> Result<Self, Fault> {
        let size = match request.size {
            None => Self::SIZE,
            Some(size) => u32::try_from(size)
                .ok()
                .filter(|size| *size >= 1)
                .ok_or_else(|| Fault::invalid("pageSize", size, "at least 1"))?
                .min(Self::SIZE_MAX),
        };
        let after = request.token.as_deref().map(|token| open(token, scope, vault)).transpose()?;
        Ok(Self { size, after })
    }
}

impl<T> Listed<T> {
    /// Gives the caller this page; `scope` as in [`Page::read`].
    #[must_use]
    pub fn paged<U>(self, scope: &str, vault: &dyn Vault, item: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            items: self.items.into_iter().map(item).collect(),
            total: self.total,
            next_token: self.next.map(|key| make(&key, scope, vault)),
        }
    }
}

/// A token is the key and a digest that binds it to its list; it does not age, so it is valid for at least an hour.
fn make(key: &str, scope: &str, vault: &dyn Vault) -> String {
    let mut octets = mac(key, scope, vault).to_vec();
    octets.extend_from_slice(key.as_bytes());
    URL_SAFE_NO_PAD.encode(octets)
}

fn open(token: &str, scope: &str, vault: &dyn Vault) -> Result<String, Fault> {
    let refused = || Fault::new(FaultName::InvalidPageToken, "pageToken is not of this list; begin again without one");
    let octets = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
    let (given, key) = octets.split_at_checked(MAC_BYTES).ok_or_else(refused)?;
    let key = std::str::from_utf8(key).map_err(|_| refused())?;
    if given != mac(key, scope, vault) {
        return Err(refused());
    }
    Ok(key.to_owned())
}

const MAC_BYTES: usize = 12;

fn mac(key: &str, scope: &str, vault: &dyn Vault) -> [u8; MAC_BYTES] {
    let digest = vault.digest("page", format!("{scope}\u{0}{key}").as_bytes());
    let mut mac = [0; MAC_BYTES];
    mac.copy_from_slice(&digest[..MAC_BYTES]);
    mac
}
