//! Requests to addresses that customers name. An endpoint must not be a way into the network that the service runs in.
//!
//! An address is judged when it is connected to: what a name meant when it was checked says nothing of a moment later.
//! So the resolver leaves out the addresses that may not be reached, literal addresses are judged before a request, no
//! redirect is followed, and no proxy of the environment is used.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use url::Host;

use crate::error::{Error, Result};

/// How long a receiver may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How long it may take to let itself be connected to.
const CONNECT: Duration = Duration::from_secs(5);

/// IPv4 addresses that are no public ones:
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml>, and multicast.
const NOT_PUBLIC: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 31, 196, 0], 24),
    v4([192, 52, 193, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([192, 175, 48, 0], 24),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
];
/// Multicast, and what is reserved for ever.
const ABOVE: Ipv4Net = v4([224, 0, 0, 0], 3);
/// The IPv6 addresses that are given out: everything else is local, mapped, or not in use.
const GIVEN_OUT: Ipv6Net = v6([0x2000, 0, 0], 3);
/// Of those, what is no public one, or leads to an IPv4 address by another name (Teredo, 6to4):
/// <https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml>.
const NOT_GIVEN_OUT: [Ipv6Net; 4] =
    [v6([0x2001, 0, 0], 23), v6([0x2001, 0xdb8, 0], 32), v6([0x2002, 0, 0], 16), v6([0x3fff, 0, 0], 20)];

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c]: [u16; 3], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// Whether an address is a public one.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !ABOVE.contains(&address) && !NOT_PUBLIC.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => GIVEN_OUT.contains(&address) && !NOT_GIVEN_OUT.iter().any(|net| net.contains(&address)),
    }
}

/// Makes requests to addresses that may be reached: public ones, and the operator's own networks that were named.
#[derive(Clone, Debug)]
pub struct Outbound {
    networks: Arc<[IpNet]>,
    client: Client,
}

impl Outbound {
    /// Reaches public addresses, and those of the given networks.
    ///
    /// # Errors
    /// `INTERNAL` where TLS cannot be set up.
    pub fn new(networks: Vec<IpNet>) -> Result<Self> {
        let networks: Arc<[IpNet]> = networks.into();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("Ledgerline/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Judging(networks.clone())))
            .pool_max_idle_per_host(2)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { networks, client })
    }

    /// The client that all requests go through.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether an address may be reached.
    #[must_use]
    pub fn reaches(&self, address: IpAddr) -> bool {
        may_reach(&self.networks, address)
    }

    /// Whether an address lies in a network that the operator has named: what is not encrypted goes nowhere else.
    #[must_use]
    pub fn is_in_own_network(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// Checks a URL that an endpoint is to have: HTTPS, or HTTP to the operator's own networks, and no address that may
    /// not be reached. What a name leads to is judged when it is connected to.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`.
    pub fn check(&self, field: &str, url: &str) -> Result<Url> {
        self.check_schemes(field, url, "https", "http")
    }

    /// The same with the schemes of another protocol: one that encrypts, and one that does not and leads to the operator's
    /// own networks alone.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`.
    pub fn check_schemes(&self, field: &str, url: &str, encrypted: &str, plain: &str) -> Result<Url> {
        let (parsed, own) = self.judged(field, url)?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Error::bad_input(field, "must carry no user and password"));
        }
        let scheme = parsed.scheme();
        if scheme == encrypted || (scheme == plain && own) {
            return Ok(parsed);
        }
        Err(Error::bad_input(field, format!("must begin with {encrypted}://")))
    }

    /// Checks a URL that was stored once, before it is connected to: an address in it does not come from the resolver,
    /// and the operator may have named other networks since.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`.
    pub fn check_literal(&self, field: &str, url: &str) -> Result<()> {
        self.judged(field, url).map(drop)
    }

    /// A URL, and whether it may lead to the operator's own networks.
    fn judged(&self, field: &str, url: &str) -> Result<(Url, bool)> {
        let parsed = Url::parse(url).map_err(|fault| Error::bad_input(field, format!("must be a URL ({fault})")))?;
        // Of a scheme that it does not know, the parser leaves an address as the name that it looks like.
        let host = match parsed.host() {
            Some(Host::Domain(name)) => Host::parse(name).ok(),
            Some(Host::Ipv4(address)) => Some(Host::Ipv4(address)),
            Some(Host::Ipv6(address)) => Some(Host::Ipv6(address)),
            None => None,
        };
        let own = match host {
            Some(Host::Ipv4(address)) => self.is_own(field, address.into())?,
            Some(Host::Ipv6(address)) => self.is_own(field, address.into())?,
            // A name of this machine; any other may lead to the operator's networks, which connecting tells.
            Some(Host::Domain(_)) => !self.networks.is_empty(),
            None => return Err(Error::bad_input(field, "must name a host")),
        };
        Ok((parsed, own))
    }

    /// Whether a literal address is one of the operator's own networks.
    fn is_own(&self, field: &str, address: IpAddr) -> Result<bool> {
        if !self.reaches(address) {
            return Err(Error::bad_input(field, "must be a public address"));
        }
        Ok(!is_public(address))
    }

    /// The addresses of a host that may be reached.
    ///
    /// # Errors
    /// Where it has none, or cannot be looked up.
    pub async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        resolve(&self.networks, host, port).await
    }
}

fn may_reach(networks: &[IpNet], address: IpAddr) -> bool {
    // An IPv4 address in the clothes of an IPv6 one is what it is.
    let address = match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    is_public(address) || networks.iter().any(|net| net.contains(&address))
}

async fn resolve(networks: &[IpNet], host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((host, port)).await?;
    let reached: Vec<_> = found.filter(|address| may_reach(networks, address.ip())).collect();
    if reached.is_empty() {
        return Err(std::io::Error::other(format!("{host} has no public address")));
    }
    Ok(reached)
}

/// A resolver that gives no address that may not be reached.
struct Judging(Arc<[IpNet]>);

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.0.clone();
        Box::pin(async move {
            let addresses = resolve(&networks, name.as_str(), 0).await?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(networks: &[&str]) -> Outbound {
        Outbound::new(networks.iter().map(|net| net.parse().unwrap()).collect()).unwrap()
    }

    #[test]
    fn no_address_of_a_private_network_is_reached() {
        let outbound = outbound(&[]);
        for address in [
            "127.0.0.1",
            "127.8.9.10",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "5f00::1",
            "3fff::1",
        ] {
            assert!(!outbound.reaches(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"] {
            assert!(outbound.reaches(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_is_https_and_public_unless_the_network_is_the_operators_own() {
        let (public, own) = (outbound(&[]), outbound(&["127.0.0.0/8", "10.1.0.0/16", "::1/128"]));
        for url in [
            "http://example.com/",
            "ftp://example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://[::ffff:10.0.0.1]/",
            "https://user:pw@example.com/",
            "https://169.254.169.254/latest/meta-data/",
            "not a url",
            "mailto:a@example.com",
            "https://0/",
            "https://10.1.2.3:8088/",
        ] {
            assert!(public.check("url", url).is_err_and(|error| error.is_no()), "{url}");
        }
        for url in ["https://example.com/hook", "https://8.8.8.8:8443/"] {
            public.check("url", url).unwrap();
        }
        for url in ["http://127.0.0.1:9000/", "http://localhost:9000/", "https://10.1.2.3:8088/", "http://[::1]/"] {
            own.check("url", url).unwrap();
        }
        for url in ["http://10.2.0.1/", "https://192.168.0.1/", "http://8.8.8.8/"] {
            assert!(own.check("url", url).is_err(), "{url}");
        }
    }

    #[test]
    fn another_protocol_is_judged_in_the_same_way() {
        let (public, own) = (outbound(&[]), outbound(&["127.0.0.0/8", "::1/128"]));
        let check = |outbound: &Outbound, url: &str| outbound.check_schemes("url", url, "syslog+tls", "syslog+tcp");
        for url in [
            "syslog+tcp://logs.example.com:514",
            "syslog+tls://127.0.0.1:6514",
            "syslog+tls://2130706433:6514",
            "syslog+tls://0x7f.1:6514",
            "syslog+tls://[::1]:6514",
            "syslog+tls://[::ffff:10.0.0.1]:6514",
            "syslog+tls://user@logs.example.com:6514",
            "syslog+tls://:6514",
            "https://logs.example.com/",
        ] {
            assert!(check(&public, url).is_err_and(|error| error.is_no()), "{url}");
        }
        check(&public, "syslog+tls://logs.example.com:6514").unwrap();
        for url in ["syslog+tcp://127.0.0.1:514", "syslog+tcp://[::1]:514", "syslog+tcp://localhost:514"] {
            check(&own, url).unwrap();
        }
        assert!(check(&own, "syslog+tcp://8.8.8.8:514").is_err());
        assert!(own.is_in_own_network("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!own.is_in_own_network("8.8.8.8".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let refused = outbound(&[]).resolve("localhost", 80).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("no public address")));
        assert!(!outbound(&["127.0.0.0/8", "::1/128"]).resolve("localhost", 80).await.unwrap().is_empty());
    }
}
