//! Fetching over real sockets on loopback.

use identity::{Fetch, FetchError, HttpFetch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

/// What a fetch of at most 64 bytes makes of this answer, and how many connections it took.
async fn fetch(answer: String) -> (Result<Vec<u8>, FetchError>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/document", listener.local_addr().unwrap())).unwrap();
    let answer = answer.replace("{here}", url.as_str());
    let server = async {
        let mut served = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            served += 1;
            let mut head = [0; 1024];
            let length = stream.read(&mut head).await.unwrap();
            assert!(head[..length].starts_with(b"GET /document HTTP/1.1\r\n"));
            // The client may have gone when it has read enough.
            let _ = stream.write_all(answer.as_bytes()).await;
            if served > 1 {
                return served;
            }
        }
    };
    let client = HttpFetch::new().unwrap();
    tokio::select! {
        served = server => (Err(FetchError::TimedOut), served),
        result = client.get(&url, 64) => (result, 1),
    }
}

#[tokio::test]
async fn a_document_is_fetched() {
    let (result, _) = fetch("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned()).await;
    assert_eq!(result.unwrap(), b"{}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let (result, served) =
            fetch(format!("HTTP/1.1 {status} x\r\nlocation: {{here}}\r\ncontent-length: 0\r\n\r\n")).await;
        assert_eq!((result.unwrap_err(), served), (FetchError::Status(status), 1));
    }
}

#[tokio::test]
async fn only_200_counts() {
    let (result, _) = fetch("HTTP/1.1 500 x\r\ncontent-length: 2\r\n\r\n{}".to_owned()).await;
    assert_eq!(result.unwrap_err(), FetchError::Status(500));
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_however_it_is_framed() {
    let long = "x".repeat(65);
    let answers = [
        format!("HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n41\r\n{long}\r\n0\r\n\r\n"),
        format!("HTTP/1.0 200 OK\r\n\r\n{long}"),
    ];
    for answer in answers {
        assert_eq!(fetch(answer).await.0.unwrap_err(), FetchError::TooLong(64));
    }
}

#[tokio::test]
async fn nobody_at_home_is_a_connection_that_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let result = HttpFetch::new().unwrap().get(&url, 64).await;
    assert!(matches!(result, Err(FetchError::Connection(_))), "{result:?}");
}
