use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::super::{effects, requests};
use super::*;

const KEY: &str = "the-long-term-key-of-this-test";

/// A demo API in this process, on a folder that goes with it.
struct Demo {
    base: String,
    dir: tempfile::TempDir,
    client: reqwest::Client,
    end: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Demo {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app =
            App::open(address, dir.path(), Secret::from(KEY.to_owned()), SystemClock::shared()).unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let handler = move |request| Arc::clone(&app).answer(request);
        let served = tokio::spawn(server::serve(listener, handler, async { drop(ended.await) }));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base: format!("http://{address}"), dir, client, end: Some(end), served }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).header(KEY_HEADER, KEY)
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn pay(&self, order: &Value) -> reqwest::Response {
        self.request(Method::POST, "/payments").json(order).send().await.unwrap()
    }

    fn lines(&self, file: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.dir.path().join(file)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn body(answer: reqwest::Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn without_exactly_one_right_key_nothing_is_answered_and_nothing_is_done() {
    let demo = Demo::start().await;
    let post = || {
        demo.client
            .post(format!("{}/payments", demo.base))
            .json(&json!({"customer":1,"amount":1,"reason":"x"}))
    };
    for attempt in [
        post(),
        post().header(KEY_HEADER, ""),
        post().header(KEY_HEADER, &KEY[1..]),
        post().header(KEY_HEADER, KEY).header(KEY_HEADER, KEY),
        post().bearer_auth(KEY),
    ] {
        let answer = attempt.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
    }
    assert_eq!(demo.lines(effects::FILE).len(), 0);
}

#[tokio::test]
async fn a_customer_comes_a_byte_a_chunk_with_the_address_escaped() {
    let demo = Demo::start().await;
    let mut answer = demo.get("/customers/1").await;
    assert_eq!(
        (answer.headers()[CONTENT_TYPE].to_str().unwrap(), answer.content_length()),
        ("application/json", None)
    );
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(text, customers::find(1).unwrap().json.as_bytes());
}

#[tokio::test]
async fn the_wire_carries_one_byte_in_each_chunk() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let demo = Demo::start().await;
    let mut stream = tokio::net::TcpStream::connect(demo.base.trim_start_matches("http://")).await.unwrap();
    let request = format!(
        "GET /customers/2 HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n{KEY_HEADER}: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut wire = String::new();
    stream.read_to_string(&mut wire).await.unwrap();
    let (_, chunks) = wire.split_once("\r\n\r\n").unwrap();
    let expected: String =
        customers::find(2).unwrap().json.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    assert_eq!(chunks, expected + "0\r\n\r\n");
}

#[tokio::test]
async fn a_payment_is_on_the_disk_once_when_it_is_answered_and_is_listed() {
    let demo = Demo::start().await;
    let answer = demo.pay(&json!({"customer": 2, "amount": 4200, "reason": "refund"})).await;
    assert_eq!(answer.status(), 201);
    let lines = demo.lines(effects::FILE);
    assert_eq!(
        (lines.len(), &lines[0]["effect"], &lines[0]["amount"]),
        (1, &json!("payment_made"), &json!(4200))
    );
    assert_eq!(body(answer).await["id"], "pay-1");
    assert_eq!(body(demo.get("/payments").await).await[0]["customer"], 2);
}

#[tokio::test]
async fn bad_payments_are_refused_and_have_no_effect() {
    let demo = Demo::start().await;
    for (status, bad) in [
        (400, json!({"customer": 1, "amount": 1})),
        (400, json!({"customer": 1, "amount": -1, "reason": "x"})),
        (400, json!({"customer": 1, "amount": 1.5, "reason": "x"})),
        (400, json!({"customer": 1, "amount": "1", "reason": "x"})),
        (400, json!({"customer": 1, "amount": 1, "reason": "x", "more": true})),
        (400, json!([])),
        (404, json!({"customer": 9, "amount": 1, "reason": "x"})),
        (422, json!({"customer": 1, "amount": 0, "reason": "x"})),
        (422, json!({"customer": 1, "amount": 1, "reason": ""})),
        (422, json!({"customer": 1, "amount": 1, "reason": "x".repeat(501)})),
        (413, json!({"customer": 1, "amount": 1, "reason": "x".repeat(70_000)})),
    ] {
        assert_eq!(demo.pay(&bad).await.status(), status, "{:.80}", bad.to_string());
    }
    let form = demo.request(Method::POST, "/payments").body("customer=1");
    assert_eq!(form.send().await.unwrap().status(), 415);
    assert_eq!(demo.lines(effects::FILE).len(), 0);
}

#[tokio::test]
async fn a_deleted_customer_is_gone_and_counted_once() {
    let demo = Demo::start().await;
    let delete = || demo.request(Method::DELETE, "/customers/3").send();
    assert_eq!(
        (delete().await.unwrap().status(), delete().await.unwrap().status()),
        (204.try_into().unwrap(), 404.try_into().unwrap())
    );
    assert_eq!(demo.get("/customers/3").await.status(), 404);
    assert_eq!(body(demo.get("/customers").await).await.as_array().unwrap().len(), CUSTOMERS.len() - 1);
    assert_eq!(demo.lines(effects::FILE).len(), 1);
}

#[tokio::test]
async fn the_key_is_echoed_where_it_is_asked_for() {
    let demo = Demo::start().await;
    for (query, status, in_body, in_header, in_location) in [
        ("", 302, true, true, true),
        ("?in=body", 200, true, false, false),
        ("?in=header", 200, false, true, false),
        ("?in=location", 302, false, false, true),
    ] {
        let answer = demo.get(&format!("/customers/1/echo{query}")).await;
        let holds_key =
            |name: &str| answer.headers().get(name).is_some_and(|v| v.to_str().unwrap().contains(KEY));
        assert_eq!(
            (answer.status().as_u16(), holds_key("x-echo"), holds_key("location")),
            (status, in_header, in_location)
        );
        assert_eq!(answer.text().await.unwrap().contains(KEY), in_body, "{query}");
    }
    assert_eq!(demo.get("/customers/1/echo?in=trailer").await.status(), 400);
}

#[tokio::test]
async fn events_come_as_a_stream_and_end() {
    let demo = Demo::start().await;
    let answer = demo.get("/events").await;
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/event-stream");
    assert_eq!(answer.text().await.unwrap(), EVENTS.concat());
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_with_what_there_is() {
    let demo = Demo::start().await;
    for (method, path, status) in [
        (Method::GET, "/", 404),
        (Method::GET, "//customers", 404),
        (Method::GET, "/customers/", 404),
        (Method::GET, "/customers/01", 404),
        (Method::GET, "/customers/+1", 404),
        (Method::GET, "/customers/99999999999999999999", 404),
        (Method::GET, "/customers/1/echo/", 404),
        (Method::PUT, "/customers/1", 405),
        (Method::DELETE, "/payments", 405),
        (Method::HEAD, "/customers/1", 200),
    ] {
        assert_eq!(
            demo.request(method.clone(), path).send().await.unwrap().status(),
            status,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn every_request_is_noted_without_query_or_secret() {
    let demo = Demo::start().await;
    demo.get("/customers?key=hush").await;
    demo.client.get(format!("{}/customers", demo.base)).bearer_auth("hush").send().await.unwrap();
    let lines = demo.lines(requests::FILE);
    let noted: Vec<_> =
        lines.iter().map(|l| (&l["method"], &l["path"], &l["key"], &l["foreign_credential"])).collect();
    let (get, path) = (&json!("GET"), &json!("/customers"));
    assert_eq!(noted, [(get, path, &json!(true), &json!(false)), (get, path, &json!(false), &json!(true))]);
    let text = fs::read_to_string(demo.dir.path().join(requests::FILE)).unwrap();
    assert!(!text.contains("hush") && !text.contains(KEY));
}

#[tokio::test]
async fn when_it_ends_idle_connections_are_closed_and_the_address_is_free() {
    let mut demo = Demo::start().await;
    assert_eq!(demo.get("/customers").await.status(), 200);
    demo.end.take().unwrap().send(()).unwrap();
    (&mut demo.served).await.unwrap();
    assert!(demo.request(Method::GET, "/customers").send().await.unwrap_err().is_connect());
}

#[test]
fn a_key_never_shows_in_what_is_printed_of_the_settings() {
    let api = DemoApi {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        state_dir: PathBuf::from("state"),
        expected_key: Secret::from(KEY.to_owned()),
    };
    assert!(!format!("{api:?}").contains(KEY));
}
