//! Which addresses of the network may be connected to, whatever name led there.
//!
//! To be asked at each connection, about the very address that is connected to: a name may lead elsewhere a moment
//! after it was looked at.
//!
//! Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6890, RFC 6052, RFC 3056, RFC 4193.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anybody's.
    Public,
    /// This machine.
    Loopback,
    /// A network behind the operator's border: private, shared, unique-local or link-local.
    Private,
    /// No receiver: multicast, unspecified, reserved, documentation, tunnels, and the addresses under which clouds tell
    /// a machine its secrets.
    Nowhere,
}

/// Why an address is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Only where private networks are allowed.
    #[error("it leads into a private network, which is not allowed for this callback address")]
    Private,
    /// Never.
    #[error("it leads to an address that no receiver has")]
    Nowhere,
    /// Plain HTTP leaves the machine.
    #[error("plain HTTP is for this machine alone; use https")]
    PlainHttp,
}

/// A network: an address, and how many of its first bits all addresses of the network share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.1.0.0/16`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits) = (address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether an address is of this network. An IPv4 address may be written as an IPv6 one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let shared = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        shared >= u32::from(self.bits)
    }
}

/// Which addresses that are not anybody's may be connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// All of them: the setting of the callback address.
    pub every_private: bool,
    /// Those of these networks: the setting of the domain.
    pub networks: Vec<Network>,
}

/// Checks one resolved address.
///
/// # Errors
/// [`Forbidden`].
pub fn check(address: IpAddr, allowed: &Allowed) -> Result<(), Forbidden> {
    let is_allowed = || allowed.every_private || allowed.networks.iter().any(|network| network.contains(address));
    match place(address) {
        Place::Public => Ok(()),
        Place::Loopback | Place::Private if is_allowed() => Ok(()),
        Place::Loopback | Place::Private => Err(Forbidden::Private),
        Place::Nowhere => Err(Forbidden::Nowhere),
    }
}

/// What kind of place an address is; of one that carries an IPv4 address, where that leads.
#[must_use]
pub fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

/// Where clouds tell a machine its secrets: AWS, Google, Azure and most others; tasks of AWS ECS; Alibaba; Oracle.
const METADATA_V4: [[u8; 4]; 5] =
    [[169, 254, 169, 254], [169, 254, 170, 2], [169, 254, 170, 23], [100, 100, 100, 200], [192, 0, 0, 192]];
/// The same over IPv6: AWS, Google.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0023),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

fn place_v4(address: Ipv4Addr) -> Place {
    let octets = address.octets();
    if METADATA_V4.contains(&octets) {
        return Place::Nowhere;
    }
    match octets {
        [127, ..] => Place::Loopback,
        [10, ..] | [192, 168, ..] | [169, 254, ..] => Place::Private,
        [172, second, ..] if (16..32).contains(&second) => Place::Private,
        // Shared by the customers of a carrier.
        [100, second, ..] if (64..128).contains(&second) => Place::Private,
        // For measuring networks.
        [198, 18 | 19, ..] => Place::Private,
        [0, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => Place::Nowhere,
        [first, ..] if first >= 224 => Place::Nowhere,
        _ => Place::Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    if METADATA_V6.contains(&address) {
        return Place::Nowhere;
    }
    if address == Ipv6Addr::LOCALHOST {
        return Place::Loopback;
    }
    let segments = address.segments();
    let carried = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        place_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4-mapped, and IPv4 as it is reached through NAT64.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => carried(high, low),
        // IPv4-translated, which no host has outside of a translator.
        [0, 0, 0, 0, 0xffff, 0, high, low] => carried(high, low),
        // 6to4.
        [0x2002, high, low, ..] => carried(high, low),
        // NAT64 of a network of its own: what it leads to is that network's secret.
        [0x64, 0xff9b, 1, ..] => Place::Private,
        [first, ..] if first & 0xfe00 == 0xfc00 => Place::Private,
        // Link-local, and what was site-local.
        [first, ..] if first & 0xff80 == 0xfe80 => Place::Private,
        // Teredo, ORCHID, benchmarking and the rest of the protocol assignments; documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => Place::Nowhere,
        [0x3fff, second, ..] if second < 0x1000 => Place::Nowhere,
        // All that was ever given out for general use.
        [first, ..] if first & 0xe000 == 0x2000 => Place::Public,
        _ => Place::Nowhere,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn allowed(every_private: bool, networks: &[&str]) -> Allowed {
        Allowed { every_private, networks: networks.iter().map(|text| Network::parse(text).unwrap()).collect() }
    }

    #[track_caller]
    fn assert_all(wanted: Place, addresses: &[&str]) {
        for text in addresses {
            assert_eq!(place(text.parse().unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn each_special_network_is_known() {
        assert_all(Place::Public, &["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1"]);
        assert_all(Place::Public, &["192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "169.253.1.1"]);
        assert_all(Place::Public, &["2606:4700::1111", "2a00:1450:4001::8", "2001:200::1", "2001:4860:4860::8888"]);
        assert_all(Place::Loopback, &["127.0.0.1", "127.255.255.254", "::1"]);
        assert_all(Place::Private, &["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1"]);
        assert_all(Place::Private, &["169.254.1.1", "198.18.0.1", "198.19.255.255"]);
        assert_all(Place::Private, &["fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "64:ff9b:1::7f00:1"]);
        assert_all(Place::Nowhere, &["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"]);
        assert_all(Place::Nowhere, &["192.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"]);
        assert_all(Place::Nowhere, &["::", "ff02::1", "2001:db8::1", "3fff::1", "100::1", "2001::1", "2001:20::1"]);
        assert_all(Place::Nowhere, &["::7f00:1", "4000::1", "5f00::1"]);
    }

    #[test]
    fn the_addresses_that_tell_secrets_are_nowhere_even_where_private_networks_are_allowed() {
        for text in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            assert_eq!(
                check(text.parse().unwrap(), &allowed(true, &["0.0.0.0/0", "::/0"])),
                Err(Forbidden::Nowhere),
                "{text}"
            );
        }
    }

    #[test]
    fn an_ipv4_address_in_an_ipv6_one_leads_where_it_leads() {
        assert_all(Place::Loopback, &["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:0:7f00:1"]);
        assert_all(Place::Private, &["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:c0a8:101::1"]);
        assert_all(Place::Public, &["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]);
        assert_all(Place::Nowhere, &["::ffff:0.0.0.0", "64:ff9b::e000:1", "2002::1"]);
    }

    #[test]
    fn private_networks_are_connected_to_only_where_they_are_allowed() {
        for text in ["127.0.0.1", "10.1.2.3", "fe80::1", "::ffff:192.168.1.1"] {
            assert_eq!(check(text.parse().unwrap(), &allowed(false, &[])), Err(Forbidden::Private), "{text}");
            assert_eq!(check(text.parse().unwrap(), &allowed(true, &[])), Ok(()), "{text}");
        }
        assert_eq!(check("8.8.8.8".parse().unwrap(), &allowed(false, &[])), Ok(()));
    }

    #[test]
    fn networks_of_the_domain_are_connected_to_and_those_beside_them_are_not() {
        let some = allowed(false, &["10.1.0.0/16", "fd12:3456::/32", "127.0.0.2/32"]);
        for (text, is_allowed) in [
            ("10.1.0.1", true),
            ("10.1.255.255", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("10.0.255.255", false),
            ("fd12:3456:1::1", true),
            ("fd12:3457::1", false),
            ("127.0.0.2", true),
            ("127.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(check(text.parse().unwrap(), &some).is_ok(), is_allowed, "{text}");
        }
        for text in ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "x/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
