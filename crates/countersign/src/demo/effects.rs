//! What was done to the demo API: one synced line an effect, written before the caller hears of it.
//!
//! The file is the state: a second start reads it and carries on. It is also the evidence, since a line stands in it
//! exactly as often as the API was made to act.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Clock, Timestamp};
use serde::{Deserialize, Serialize};

/// How many payments are kept in memory and listed.
const LISTED: usize = 100;

/// The name of the file in the state folder.
pub(super) const FILE: &str = "effects.jsonl";

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub(super) enum Effect {
    /// Money went out.
    PaymentMade(Order),
    /// A customer was removed.
    CustomerDeleted {
        /// Which one.
        customer: u32,
    },
}

/// What a caller orders with `POST /payments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Who is paid.
    pub(super) customer: u32,
    /// How much, in cents.
    pub(super) amount: u64,
    /// What for.
    pub(super) reason: String,
}

/// A payment that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Payment {
    /// Its number, as `pay-1`.
    pub(super) id: String,
    /// When.
    pub(super) at: Timestamp,
    /// What was ordered.
    #[serde(flatten)]
    pub(super) order: Order,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    number: u64,
    at: Timestamp,
    #[serde(flatten)]
    effect: Effect,
}

/// The effects so far, and the file that they are in. Its methods block on the disk.
#[derive(Debug)]
pub(super) struct Effects {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    number: u64,
    payments: VecDeque<Payment>,
    deleted: BTreeSet<u32>,
}

impl Effects {
    /// Reads the effects of earlier starts from `dir`. A last line that was cut off while it was written was never
    /// answered for, and goes.
    ///
    /// # Errors
    /// When the file cannot be opened, or holds a line that is no effect.
    pub(super) fn open(dir: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        File::open(dir)?.sync_all()?;
        let mut state = State { file, number: 0, payments: VecDeque::new(), deleted: BTreeSet::new() };
        state.replay()?;
        Ok(Self { clock, state: Mutex::new(state) })
    }

    /// Makes a payment. When this returns, its line is on the disk.
    ///
    /// # Errors
    /// When the line cannot be written; then nothing was done.
    pub(super) fn pay(&self, order: Order) -> io::Result<Payment> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = state.write(self.clock.now(), Effect::PaymentMade(order.clone()))?;
        Ok(Payment { id: payment_id(line.number), at: line.at, order })
    }

    /// Removes a customer; false when that was done before. When this returns true, its line is on the disk.
    ///
    /// # Errors
    /// When the line cannot be written; then nothing was done.
    pub(super) fn delete(&self, customer: u32) -> io::Result<bool> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.deleted.contains(&customer) {
            return Ok(false);
        }
        state.write(self.clock.now(), Effect::CustomerDeleted { customer })?;
        Ok(true)
    }

    /// Whether this customer was removed.
    pub(super) fn is_deleted(&self, customer: u32) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).deleted.contains(&customer)
    }

    /// The latest payments, oldest first.
    pub(super) fn payments(&self) -> Vec<Payment> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).payments.iter().cloned().collect()
    }
}

impl State {
    fn replay(&mut self) -> io::Result<()> {
        let mut reader = BufReader::new(self.file.try_clone()?);
        let mut text = Vec::new();
        let mut whole = 0;
        while reader.read_until(b'\n', &mut text)? > 0 && text.ends_with(b"\n") {
            whole += u64::try_from(text.len()).unwrap_or(u64::MAX);
            let line = serde_json::from_slice(&text).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", self.number + 1))
            })?;
            self.apply(&line);
            text.clear();
        }
        self.file.set_len(whole)?;
        self.file.seek(io::SeekFrom::End(0))?;
        Ok(())
    }

    fn write(&mut self, at: Timestamp, effect: Effect) -> io::Result<Line> {
        let line = Line { number: self.number + 1, at, effect };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.apply(&line);
        Ok(line)
    }

    fn apply(&mut self, line: &Line) {
        self.number = line.number;
        match &line.effect {
            Effect::PaymentMade(order) => {
                if self.payments.len() == LISTED {
                    self.payments.pop_front();
                }
                self.payments.push_back(Payment {
                    id: payment_id(line.number),
                    at: line.at,
                    order: order.clone(),
                });
            }
            Effect::CustomerDeleted { customer } => {
                self.deleted.insert(*customer);
            }
        }
    }
}

fn payment_id(number: u64) -> String {
    format!("pay-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(amount: u64) -> Order {
        Order { customer: 1, amount, reason: "refund".to_owned() }
    }

    fn open(dir: &Path) -> Effects {
        Effects::open(dir, model::SystemClock::shared()).unwrap()
    }

    #[test]
    fn a_second_start_knows_what_was_done_and_counts_on() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path());
        first.pay(order(100)).unwrap();
        assert!(first.delete(2).unwrap());
        assert!(!first.delete(2).unwrap());
        drop(first);

        let second = open(dir.path());
        assert_eq!(second.payments().len(), 1);
        assert!(second.is_deleted(2) && !second.is_deleted(1));
        assert_eq!(second.pay(order(200)).unwrap().id, "pay-3");
        assert_eq!(std::fs::read_to_string(dir.path().join(FILE)).unwrap().lines().count(), 3);
    }

    #[test]
    fn a_torn_last_line_goes_and_the_next_effect_stands_whole() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).pay(order(100)).unwrap();
        let mut file = OpenOptions::new().append(true).open(dir.path().join(FILE)).unwrap();
        file.write_all(b"{\"number\":2,\"at\":\"20").unwrap();
        assert_eq!(open(dir.path()).pay(order(200)).unwrap().id, "pay-2");
        assert_eq!(open(dir.path()).payments().len(), 2);
    }

    #[test]
    fn a_line_that_is_no_effect_stops_the_start_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "{}\n").unwrap();
        let error = Effects::open(dir.path(), model::SystemClock::shared()).unwrap_err();
        assert!(error.to_string().starts_with("line 1: "), "{error}");
    }

    #[test]
    fn memory_stays_bounded_however_many_payments_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let effects = open(dir.path());
        for amount in 1..=(LISTED as u64 + 5) {
            effects.pay(order(amount)).unwrap();
        }
        let listed = effects.payments();
        assert_eq!((listed.len(), listed[0].order.amount), (LISTED, 6));
    }
}
