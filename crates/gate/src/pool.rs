//! Connections to targets: dialled for a target, lent to one call at a time, kept on the worker that opened them.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::workers;

/// Idle connections kept for a target on one worker.
const IDLE: usize = 128;

/// An idle connection older than this is closed: targets close theirs too, and a call must not meet that.
const IDLE_FOR: Duration = Duration::from_secs(15);

/// The idle connections of one target.
pub(crate) struct Pool {
    idle: Vec<Mutex<VecDeque<Idle>>>,
}

/// A connection, and since when it idles.
type Idle = (Box<dyn Any + Send>, Instant);

impl Pool {
    pub(crate) fn new(workers: usize) -> Self {
        Self { idle: (0..workers.max(1)).map(|_| Mutex::default()).collect() }
    }

    /// The idle connection that was used last, if one is left that `usable` accepts.
    pub(crate) fn take<L: 'static>(&self, usable: impl Fn(&mut L) -> bool) -> Option<L> {
        let idle = self.idle.get(workers::index())?;
        loop {
            let (link, since) = idle.lock().unwrap_or_else(PoisonError::into_inner).pop_back()?;
            if since.elapsed() > IDLE_FOR {
                idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return None;
            }
            if let Ok(mut link) = link.downcast::<L>()
                && usable(&mut link)
            {
                return Some(*link);
            }
        }
    }

    /// Keeps a connection whose call has ended cleanly.
    pub(crate) fn put<L: Send + 'static>(&self, link: L) {
        let Some(idle) = self.idle.get(workers::index()) else { return };
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        while idle.len() >= IDLE || idle.front().is_some_and(|(_, since)| since.elapsed() > IDLE_FOR) {
            idle.pop_front();
        }
        idle.push_back((Box::new(link), Instant::now()));
    }
}
