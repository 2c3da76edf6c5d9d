//! Rates: how often a policy lets one principal call.
//!
//! Taken once, after the last decision, and not given back. Counted in this process by policy and principal.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use model::{PrincipalKey, RateLimit, Refusal, RefusalKind};

/// Principals that are not calling are forgotten once a limiter holds more than this many.
const MANY: usize = 10_000;

type Limiter = Arc<DefaultKeyedRateLimiter<PrincipalKey>>;

/// The rates in use, one limiter for each policy and limit.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<RateLimit, Limiter>>);

impl Rates {
    /// Takes one call from every rate, or refuses with the time until the scarcest has one again.
    pub(crate) fn take(&self, principal: &PrincipalKey, rates: &[RateLimit]) -> Result<(), Refusal> {
        for rate in rates {
            let limiter = self.limiter(rate);
            if limiter.len() > MANY {
                limiter.retain_recent();
            }
            if let Err(until) = limiter.check_key(principal) {
                let wait = until.wait_time_from(DefaultClock::default().now());
                let detail =
                    format!("`{}` allows {} calls in {} s", rate.policy, rate.calls, rate.per.as_secs());
                return Err(Refusal::new(RefusalKind::RateLimited, detail).retry_after(wait));
            }
        }
        Ok(())
    }

    fn limiter(&self, rate: &RateLimit) -> Limiter {
        let mut limiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = limiters.entry(rate.clone()).or_insert_with(|| Arc::new(RateLimiter::keyed(quota(rate))));
        Arc::clone(made)
    }
}

/// `10/minute` is ten at once and one more every six seconds.
fn quota(rate: &RateLimit) -> Quota {
    let each = rate.per.checked_div(rate.calls.get()).unwrap_or(rate.per).max(Duration::from_nanos(1));
    let replenish = Quota::with_period(each).unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN));
    replenish.allow_burst(rate.calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(subject: &str) -> PrincipalKey {
        PrincipalKey { issuer: "dev".parse().unwrap(), subject: subject.into() }
    }

    fn limit(calls: u32) -> RateLimit {
        RateLimit {
            policy: model::PolicyId("a".into()),
            calls: NonZeroU32::new(calls).unwrap(),
            per: Duration::from_secs(3600),
        }
    }

    #[test]
    fn a_rate_counts_each_principal_apart_and_says_when_to_come_back() {
        let rates = Rates::default();
        let limits = [limit(2)];
        assert!(rates.take(&key("a"), &limits).is_ok());
        assert!(rates.take(&key("a"), &limits).is_ok());
        let refusal = rates.take(&key("a"), &limits).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::RateLimited);
        assert!(refusal.retry_after.unwrap() <= Duration::from_secs(1800));
        assert!(rates.take(&key("b"), &limits).is_ok());
    }
}
