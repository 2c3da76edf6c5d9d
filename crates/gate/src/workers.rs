//! Workers: one thread with a runtime of its own for each core, connections dealt out in turn.
//!
//! What a call touches on its way (policy, idle connections) exists once a worker, so that cores do not fight over
//! reference counts. What may block or take long (the store, syncing, `/v1`) runs elsewhere.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// Policy is evaluated on these threads, and Cedar asks for at least two MiB.
const STACK: usize = 4 << 20;

thread_local! {
    static INDEX: Cell<usize> = const { Cell::new(0) };
}

/// The worker whose thread this is; 0 elsewhere.
pub(crate) fn index() -> usize {
    INDEX.get()
}

/// The workers of a gateway. Dropping it stops them; what still runs on them is dropped.
pub struct Workers {
    handles: Vec<Handle>,
    stops: Vec<oneshot::Sender<()>>,
    threads: Vec<thread::JoinHandle<()>>,
    next: AtomicUsize,
}

impl Workers {
    /// Starts `count` workers.
    ///
    /// # Errors
    /// When the operating system gives no thread or no runtime.
    pub fn start(count: usize) -> io::Result<Self> {
        let mut workers =
            Self { handles: Vec::new(), stops: Vec::new(), threads: Vec::new(), next: AtomicUsize::new(0) };
        for index in 0..count.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            workers.handles.push(runtime.handle().clone());
            let (stop, stopped) = oneshot::channel();
            workers.stops.push(stop);
            let run = move || run(index, &runtime, stopped);
            workers
                .threads
                .push(thread::Builder::new().name(format!("worker-{index}")).stack_size(STACK).spawn(run)?);
        }
        Ok(workers)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.handles.len()
    }

    /// The worker whose turn it is.
    #[must_use]
    pub fn next(&self) -> &Handle {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len();
        #[expect(clippy::indexing_slicing, reason = "the remainder of its length is an index")]
        &self.handles[turn]
    }
}

fn run(index: usize, runtime: &Runtime, stopped: oneshot::Receiver<()>) {
    INDEX.set(index);
    let _ = runtime.block_on(stopped);
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stops.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
