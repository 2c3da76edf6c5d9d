//! Refusals of callers that proved nothing, counted by network and reason, so that a flood cannot fill the disk.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::RefusalKind;

use crate::event::Event;

/// How many pairs of network and reason are told apart in a second; the rest is counted as `other`.
const KEYS: usize = 32;

/// Counts of one second.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    counts: BTreeMap<(String, &'static str), (RefusalKind, u64)>,
}

impl Strangers {
    pub(crate) fn count(&mut self, source: IpAddr, kind: RefusalKind) {
        let mut key = (network(source), kind.code());
        if self.counts.len() >= KEYS && !self.counts.contains_key(&key) {
            key.0 = "other".to_owned();
        }
        self.counts.entry(key).or_insert((kind, 0)).1 += 1;
    }

    /// The events of what was counted; counting starts anew.
    pub(crate) fn take(&mut self) -> Vec<Event> {
        let counts = std::mem::take(&mut self.counts);
        counts
            .into_iter()
            .map(|((source, _), (kind, count))| Event::Strangers { source, kind, count })
            .collect()
    }
}

/// The network that an address stands for: 24 bits of IPv4, 48 of IPv6, which is what one stranger usually has.
fn network(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_flood_from_everywhere_stays_bounded_and_no_refusal_is_lost() {
        let mut strangers = Strangers::default();
        for n in 0..100_000u32 {
            let kind = RefusalKind::ALL[n as usize % RefusalKind::ALL.len()];
            strangers.count(Ipv4Addr::from(n.wrapping_mul(2_654_435_761)).into(), kind);
        }
        let events = strangers.take();
        assert!(events.len() <= KEYS + RefusalKind::ALL.len(), "{}", events.len());
        let total: u64 = events
            .iter()
            .map(|event| if let Event::Strangers { count, .. } = event { *count } else { 0 })
            .sum();
        assert_eq!(total, 100_000);
        assert!(strangers.take().is_empty());
    }

    #[test]
    fn neighbours_are_counted_together() {
        let mut strangers = Strangers::default();
        for source in ["192.0.2.1", "192.0.2.250", "::ffff:192.0.2.9", "2001:db8:1::1", "2001:db8:1:2::3"] {
            strangers.count(source.parse().unwrap(), RefusalKind::Unauthenticated);
        }
        let sources: Vec<(String, u64)> = strangers
            .take()
            .into_iter()
            .filter_map(|event| match event {
                Event::Strangers { source, count, .. } => Some((source, count)),
                _ => None,
            })
            .collect();
        assert_eq!(sources, [("192.0.2.0/24".to_owned(), 3), ("2001:db8:1::/48".to_owned(), 2)]);
    }
}
