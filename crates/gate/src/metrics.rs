//! What is counted: decisions by outcome, latency, and what lives now. Prometheus' text format at `/metrics`.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Outcome, RefusalKind};

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS: [u64; 12] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000];

/// Counters of one gateway.
#[derive(Default)]
pub struct Metrics {
    answered: AtomicU64,
    withheld: AtomicU64,
    failed: AtomicU64,
    abandoned: AtomicU64,
    refused: [AtomicU64; RefusalKind::ALL.len()],
    micros: AtomicU64,
    buckets: [AtomicU64; BUCKETS.len()],
    under_way: AtomicU64,
}

impl Metrics {
    pub(crate) fn began(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, outcome: &Outcome, took: Duration) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        match outcome {
            Outcome::Answered { .. } => self.answered.fetch_add(1, Ordering::Relaxed),
            Outcome::Withheld { .. } => self.withheld.fetch_add(1, Ordering::Relaxed),
            Outcome::Failed { .. } => self.failed.fetch_add(1, Ordering::Relaxed),
            Outcome::Abandoned | Outcome::Interrupted => self.abandoned.fetch_add(1, Ordering::Relaxed),
            Outcome::Refused { refusal } => return self.refused(*refusal),
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        for (bound, bucket) in BUCKETS.iter().zip(&self.buckets) {
            if micros <= *bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn refused(&self, kind: RefusalKind) {
        if let Some(index) = RefusalKind::ALL.iter().position(|known| *known == kind)
            && let Some(count) = self.refused.get(index)
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Calls begun and not ended.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// The page.
    #[must_use]
    pub fn render(&self, sessions: usize) -> String {
        let mut page = String::with_capacity(4096);
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let _ = writeln!(page, "# HELP countersign_calls_total Calls by how they ended.");
        let _ = writeln!(page, "# TYPE countersign_calls_total counter");
        let ends = [
            ("answered", &self.answered),
            ("withheld", &self.withheld),
            ("failed", &self.failed),
            ("abandoned", &self.abandoned),
        ];
        for (outcome, count) in ends {
            let _ = writeln!(page, "countersign_calls_total{{outcome=\"{outcome}\"}} {}", read(count));
        }
        let _ = writeln!(page, "# HELP countersign_refusals_total Refusals by kind.");
        let _ = writeln!(page, "# TYPE countersign_refusals_total counter");
        for (kind, count) in RefusalKind::ALL.iter().zip(&self.refused) {
            let _ = writeln!(page, "countersign_refusals_total{{kind=\"{kind}\"}} {}", read(count));
        }
        let _ = writeln!(page, "# HELP countersign_call_seconds From begun to ended.");
        let _ = writeln!(page, "# TYPE countersign_call_seconds histogram");
        let all = ends.iter().map(|(_, count)| read(count)).sum::<u64>();
        for (bound, bucket) in BUCKETS.iter().zip(&self.buckets) {
            let seconds = Duration::from_micros(*bound).as_secs_f64();
            let _ = writeln!(page, "countersign_call_seconds_bucket{{le=\"{seconds}\"}} {}", read(bucket));
        }
        let _ = writeln!(page, "countersign_call_seconds_bucket{{le=\"+Inf\"}} {all}");
        let sum = Duration::from_micros(read(&self.micros)).as_secs_f64();
        let _ = writeln!(page, "countersign_call_seconds_sum {sum}\ncountersign_call_seconds_count {all}");
        let _ = writeln!(page, "# HELP countersign_calls_under_way Calls begun and not ended.");
        let _ = writeln!(page, "# TYPE countersign_calls_under_way gauge");
        let _ = writeln!(page, "countersign_calls_under_way {}", self.under_way());
        let _ = writeln!(page, "# HELP countersign_sessions Sessions kept.");
        let _ = writeln!(page, "# TYPE countersign_sessions gauge\ncountersign_sessions {sessions}");
        page
    }
}
