//! How many connections there may be, in total and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections of one other machine, when nothing else was asked for: a classroom behind one address.
const PER_ADDRESS: usize = 100;

/// What the listener bears.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections in total.
    pub connections: usize,
    /// Open connections of one address, or of one IPv6 network of 64 bits. When absent, 100 for other machines
    /// and as many as there are for this one, where a reverse proxy or a load test may run.
    pub per_address: Option<usize>,
    /// Until a TLS handshake, and then until a request's headers must be complete.
    pub headers: Duration,
    /// A write during which the client makes no room at all.
    pub write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_address: None,
            headers: Duration::from_secs(10),
            write: Duration::from_secs(30),
        }
    }
}

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are too many.
    Total,
    /// There are too many from this address.
    PerAddress,
}

/// Counts open connections.
pub(super) struct Caps {
    limits: Limits,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    /// Only addresses that have a connection.
    per_address: HashMap<IpAddr, usize>,
}

/// One connection's place, given back when it is dropped.
pub(super) struct Place {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    /// Nobody is connected.
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// Takes a place for a connection from `peer`.
    ///
    /// # Errors
    /// Says which limit is reached.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Refusal> {
        let address = network_of(peer);
        let at_most =
            self.limits.per_address.unwrap_or(if address.is_loopback() { usize::MAX } else { PER_ADDRESS });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.limits.connections {
            return Err(Refusal::Total);
        }
        let n = open.per_address.get(&address).copied().unwrap_or(0);
        if n >= at_most {
            return Err(Refusal::PerAddress);
        }
        open.per_address.insert(address, n + 1);
        open.total += 1;
        Ok(Place { caps: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(n) = open.per_address.get_mut(&self.address) {
            *n -= 1;
            if *n == 0 {
                open.per_address.remove(&self.address);
            }
        }
    }
}

/// Who is counted as one: an IPv4 address, or the network that an IPv6 user has for himself.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(connections: usize, per_address: Option<usize>) -> Arc<Caps> {
        Caps::new(Limits { connections, per_address, ..Limits::default() })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let caps = caps(3, Some(2));
        let first = caps.admit(ip("192.0.2.1")).unwrap();
        let second = caps.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(caps.admit(ip("192.0.2.1")).err(), Some(Refusal::PerAddress));
        let third = caps.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(caps.admit(ip("192.0.2.3")).err(), Some(Refusal::Total));
        drop(first);
        let fourth = caps.admit(ip("192.0.2.1")).unwrap();
        drop((second, third, fourth));
        let open = caps.open.lock().unwrap();
        assert!(open.total == 0 && open.per_address.is_empty(), "no memory of who is gone");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let caps = caps(100, Some(1));
        let _place = caps.admit(ip("2001:db8:1:2:3::1")).unwrap();
        assert_eq!(caps.admit(ip("2001:db8:1:2:4::9")).err(), Some(Refusal::PerAddress));
        assert!(caps.admit(ip("2001:db8:1:3::1")).is_ok());
    }

    #[test]
    fn this_machine_is_only_limited_when_asked_for() {
        let caps = caps(1000, None);
        let from = |peer: &str| (0..500).map_while(|_| caps.admit(ip(peer)).ok()).collect::<Vec<_>>();
        let near = from("127.0.0.1");
        let far = from("192.0.2.1");
        assert_eq!((near.len(), far.len()), (500, 100));
    }
}
