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

/// Checks one resolved address. `allows_private` is the setting of the callback address.
///
/// # Errors
/// [`Forbidden`].
pub fn check(address: IpAddr, allows_private: bool) -> Result<(), Forbidden> {
    match place(address) {
        Place::Public => Ok(()),
        Place::Loopback | Place::Private if allows_private => Ok(()),
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
            assert_eq!(check(text.parse().unwrap(), true), Err(Forbidden::Nowhere), "{text}");
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
            assert_eq!(check(text.parse().unwrap(), false), Err(Forbidden::Private), "{text}");
            assert_eq!(check(text.parse().unwrap(), true), Ok(()), "{text}");
        }
        assert_eq!(check("8.8.8.8".parse().unwrap(), false), Ok(()));
    }
}
