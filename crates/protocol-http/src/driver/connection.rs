//! Callers' connections: accepted, dealt to workers, spoken HTTP/1.1 with, ended in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gate::{Arrival, CallerStream, Gate, Interface, Listener, Workers};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::guarded::{Guarded, Verdict};
use super::respond;
use super::service::Service;

/// How long a head may take to arrive, and how long a connection may idle between two requests.
const HEAD: Duration = Duration::from_secs(30);

/// Serves callers until `stop` says so; then no new connection is accepted, each ends after the answer that it is giving,
/// and this ends with the last of them: its caller sets the deadline. Connections are dealt to `workers` in turn; handshakes run there, never in the accept loop.
pub async fn serve(
    listener: Listener,
    workers: Arc<Workers>,
    gate: Gate,
    interface: Interface,
    mut stop: watch::Receiver<bool>,
) {
    let service = Service { gate, interface, elsewhere: Handle::current() };
    let (open, mut ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let (service, stop, open) = (service.clone(), stop.clone(), open.clone());
        workers.next().spawn(async move {
            if let Some((stream, room)) = accepted.open().await {
                connection(stream, service, stop).await;
                drop(room);
            }
            drop(open);
        });
    }
    // Who connects now is turned away, and not left waiting. Nothing is ever sent: it closes with the last connection.
    drop((listener, open));
    let _ = ended.recv().await;
}

/// Ends when the gateway stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

async fn connection(stream: CallerStream, service: Service, mut stop: watch::Receiver<bool>) {
    let arrival = Arrival { peer: stream.peer(), private: stream.is_private() };
    let verdict = Verdict::default();
    let guarded = Guarded::new(stream, verdict.clone());
    let asked = AtomicBool::new(false);
    let answer = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let (service, verdict) = (service.clone(), verdict.clone());
        async move { respond::infallible(service.answer(arrival, &verdict, request).await) }
    });
    let mut builder = http1::Builder::new();
    // Not `pipeline_flush`: with it hyper buffers whatever an answer brings, however slowly its caller reads.
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(guarded), answer));
    let ended = tokio::select! {
        ended = &mut served => ended,
        // hyper would wait for the first head of a caller that has asked for nothing yet.
        () = stopped(&mut stop) => if asked.load(Ordering::Relaxed) {
            served.as_mut().graceful_shutdown();
            served.await
        } else {
            return;
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %arrival.peer, "a caller's connection ended early");
    }
}
