//! An HTTP/1.1 server on a loopback address: bounded in connections, heads and time.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, ensure};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::Answer;

/// Further connections wait in the listener's own queue.
const MAX_CONNECTIONS: usize = 256;
const MAX_HEAD: usize = 64 * 1024;
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// A connection is closed after this long, between two calls, whoever reads or does not.
const CONNECTION_LIFE: Duration = Duration::from_secs(600);
/// How long calls under way may still take once their connection is told to close.
const GRACE: Duration = Duration::from_secs(2);

/// Opens a loopback address; port 0 takes any free one.
///
/// # Errors
/// When the address is not of loopback, or is taken.
pub(super) async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    ensure!(listen.ip().is_loopback(), "`{listen}` is not a loopback address: use 127.0.0.1 or [::1]");
    TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on `{listen}`: choose another port, or 0 for any"))
}

/// Serves until `ended`, then lets calls under way finish within [`GRACE`].
pub(super) async fn serve<H, F>(listener: TcpListener, handler: H, ended: impl Future<Output = ()>)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let (close, closing) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut ended = pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, handler.clone(), closing.clone()));
                }
                // Out of file descriptors, or a peer that left at once: the next accept may do.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    drop(close);
    let _ = timeout(GRACE * 2, async { while connections.join_next().await.is_some() {} }).await;
}

async fn connection<H, F>(stream: TcpStream, handler: H, mut closing: watch::Receiver<()>)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let service = service_fn(move |request| {
        let answer = handler(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.changed() => {}
        () = sleep(CONNECTION_LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}
