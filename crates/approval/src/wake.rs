//! Waking the calls of this process that wait for an approval which has just changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::ApprovalId;
use tokio::sync::watch;

/// Who waits for which approval. It holds an entry only while somebody waits.
#[derive(Debug, Default)]
pub(crate) struct Wake(Mutex<HashMap<ApprovalId, watch::Sender<()>>>);

impl Wake {
    /// Listens for changes from now on, until it is dropped.
    pub(crate) fn listen(&self, id: ApprovalId) -> Listener<'_> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = waiting.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Listener { wake: self, id, changes }
    }

    /// Tells everybody who waits for `id` that it has changed.
    pub(crate) fn changed(&self, id: ApprovalId) {
        if let Some(waiting) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            waiting.send_replace(());
        }
    }
}

pub(crate) struct Listener<'a> {
    wake: &'a Wake,
    id: ApprovalId,
    changes: watch::Receiver<()>,
}

impl Listener<'_> {
    /// Returns at the next change since the last return, or after `at_most`.
    pub(crate) async fn changed(&mut self, at_most: Duration) {
        // Whether it was a change or the time makes no difference: the store is asked either way.
        let _ = tokio::time::timeout(at_most, self.changes.changed()).await;
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        let mut waiting = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        // This listener's own receiver is still counted.
        if waiting.get(&self.id).is_some_and(|changes| changes.receiver_count() <= 1) {
            waiting.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_who_has_stopped_waiting() {
        let wake = Wake::default();
        let id = ApprovalId::new();
        let (first, second) = (wake.listen(id), wake.listen(id));
        drop(first);
        assert!(wake.0.lock().unwrap().contains_key(&id));
        drop(second);
        assert!(wake.0.lock().unwrap().is_empty());
    }
}
