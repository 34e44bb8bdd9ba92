//! Whether a client certificate is to be believed, and by which domains.
//!
//! Each domain is a world of its own: a chain is verified against the authorities of one domain at a time, with the
//! revocations of that domain, and what comes of it counts for that domain alone.
//!
//! Sources: DM WSI contract, section 1.4; RFC 5280, section 6.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use muster_broker::certificate::{Serial, TrustRecords};
use muster_broker::time::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

use super::certificate::Facts;

/// Certificates of a chain that are looked at, that of the client among them.
const CHAIN_MAX: usize = 8;

/// What certificates are verified with.
pub(super) struct Trust {
    /// Of the records it was made from.
    pub(super) version: i64,
    domains: BTreeMap<String, Domain>,
}

#[derive(Default)]
struct Domain {
    anchors: Vec<TrustAnchor<'static>>,
    /// Keys of those that vouch for rights beyond the domain.
    everywhere: Vec<TrustAnchor<'static>>,
    lists: Vec<CertRevocationList<'static>>,
    /// Issuer and serial number.
    revoked: HashSet<(Vec<u8>, Serial)>,
}

impl Trust {
    /// From what is stored. An authority that cannot be read is left out and told in the log.
    pub(super) fn new(records: TrustRecords) -> Self {
        let mut domains: BTreeMap<String, Domain> = BTreeMap::new();
        for authority in records.authorities {
            let domain = domains.entry(authority.tenant).or_default();
            let der = CertificateDer::from(authority.der);
            let anchor = match anchor_from_trusted_cert(&der) {
                Ok(anchor) => anchor.to_owned(),
                Err(error) => {
                    tracing::error!(authority = %authority.fingerprint, %error, "a trusted authority cannot be read");
                    continue;
                }
            };
            match authority.list.map(|list| OwnedCertRevocationList::from_der(&list.der)) {
                None => {}
                Some(Ok(list)) => domain.lists.push(list.into()),
                Some(Err(error)) => {
                    // What it revoked is not known, so nobody is let in by it.
                    tracing::error!(authority = %authority.fingerprint, %error, "a revocation list cannot be read");
                    continue;
                }
            }
            if authority.vouches_everywhere {
                domain.everywhere.push(anchor.clone());
            }
            domain.anchors.push(anchor);
        }
        for revoked in records.revoked {
            if let Some(domain) = domains.get_mut(&revoked.tenant) {
                domain.revoked.insert((revoked.issuer_der, revoked.serial));
            }
        }
        Self { version: records.version, domains }
    }

    /// The domains that believe this chain at `now`, and whether by an authority that vouches for rights beyond the
    /// domain.
    pub(super) fn believers(&self, chain: &[CertificateDer<'static>], now: Timestamp) -> Vec<(&str, bool)> {
        let believes = |(name, domain): (&'_ String, &'_ Domain)| match domain.verify(&domain.anchors, chain, now) {
            // Several authorities may lead to the chain: one of those that count must, by itself.
            Ok(()) => Some(domain.verify(&domain.everywhere, chain, now).is_ok()),
            Err(why) => {
                tracing::debug!(tenant = name, why, "a client certificate is not believed");
                None
            }
        };
        self.domains.iter().filter_map(|(name, domain)| Some((name.as_str(), believes((name, domain))?))).collect()
    }
}

impl Domain {
    fn verify(
        &self,
        anchors: &[TrustAnchor<'static>],
        chain: &[CertificateDer<'static>],
        now: Timestamp,
    ) -> Result<(), String> {
        let (leaf, intermediates) = chain.split_first().ok_or("no certificate")?;
        if chain.len() > CHAIN_MAX {
            return Err(format!("more than {CHAIN_MAX} certificates"));
        }
        let lists: Vec<&CertRevocationList<'_>> = self.lists.iter().collect();
        let seconds = u64::try_from(now.0.div_euclid(1000)).unwrap_or(0);
        let certificate = EndEntityCert::try_from(leaf).map_err(|error| error.to_string())?;
        let path = certificate
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                anchors,
                intermediates,
                UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                KeyUsage::client_auth(),
                by_lists(&lists),
                None,
            )
            .map_err(|error| error.to_string())?;
        let between = path.intermediate_certificates().map(|certificate| certificate.der());
        for der in std::iter::once(leaf.clone()).chain(between) {
            let facts = Facts::from_der(&der).map_err(|error| error.to_string())?;
            if self.revoked.contains(&(facts.issuer_der, facts.serial)) {
                return Err("revoked".to_owned());
            }
        }
        Ok(())
    }
}

/// Every certificate of the path is looked up in the list of its issuer, if there is one. A list whose successor is late
/// still counts for what it revokes; that it is late is told where authorities are listed.
fn by_lists<'l>(lists: &'l [&'l CertRevocationList<'l>]) -> Option<RevocationOptions<'l>> {
    let options = RevocationOptionsBuilder::new(lists).ok()?;
    Some(
        options
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Allow)
            .with_expiration_policy(ExpirationPolicy::Ignore)
            .build(),
    )
}
