//! TLS in both directions: a token off loopback needs it, and a target's name is verified.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use crate::origin::{self, Origin};
use crate::world::{World, target};

/// A certificate authority of one test.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate chain and its key, PEM.
struct Certified {
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn certify(&self, name: &str) -> Certified {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        Certified { chain: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Certified {
    fn server(&self) -> rustls::ServerConfig {
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        builder.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap()
    }

    fn write(&self, folder: &Path) {
        std::fs::write(folder.join("cert.pem"), &self.chain).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
    }
}

fn https(origin: &Origin, host: &str) -> String {
    format!("https://{host}:{}", origin.address().port())
}

#[test]
fn a_target_is_spoken_to_only_under_the_name_that_its_certificate_proves() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let trusted = file("trusted.pem", &authority.pem());
    let foreign = file("foreign.pem", &Authority::new().pem());
    let origin =
        Origin::tls(authority.certify("localhost").server(), |_| origin::json(&json!({ "ok": true })));
    let with = |name: &str, host: &str, ca: &str| {
        let table = target(name, &https(&origin, host));
        if ca.is_empty() { table } else { format!("{table}ca_file = \"{ca}\"\n") }
    };
    let tables = [
        with("right", "localhost", &trusted),
        with("wrong-name", "127.0.0.1", &trusted),
        with("foreign", "localhost", &foreign),
        with("system", "localhost", ""),
    ]
    .join("\n");
    let policy = r#"permit (principal in Group::"dev/workers", action in Action::"http", resource);"#;
    let world = World::with(origin.clone(), |builder| builder.table(&tables).policy("all.cedar", policy));
    let token = world.token("worker", &["workers"]);
    let call = |name: &str| world.gateway.get(&format!("/t/{name}/")).bearer(&token).send();
    let right = call("right");
    assert_eq!((right.status, right.json()), (200, json!({ "ok": true })), "{}", right.text());
    for name in ["wrong-name", "foreign", "system"] {
        let answer = call(name);
        assert_eq!(
            (answer.status, answer.at("/code").as_str()),
            (502, "target_unavailable"),
            "{name}: {}",
            answer.text()
        );
    }
    assert_eq!(
        origin.only().header("host"),
        Some(https(&origin, "localhost").trim_start_matches("https://"))
    );
    world.close();
}

#[test]
fn a_gateway_off_loopback_does_not_start_without_a_certificate() {
    let origin = Origin::answering(|_| Vec::new());
    let mut world = World::written(origin, |builder| builder);
    let config = std::fs::read_to_string(world.gateway.config()).unwrap();
    std::fs::write(world.gateway.config(), config.replace("127.0.0.1:0", "0.0.0.0:0")).unwrap();
    world.gateway.spawn_with(&[]);
    assert!(!world.gateway.process().wait().success());
    let log = world.gateway.log();
    assert!(log.contains("needs TLS") && log.contains("tls.cert"), "{log}");
    let checked = world.gateway.run("", &["config", "check"]);
    assert!(!checked.status.success(), "and `config check` says so too");
}

#[test]
fn a_gateway_with_a_certificate_speaks_tls_and_takes_a_new_one_without_a_restart() {
    let (first, second) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    first.certify("127.0.0.1").write(folder.path());
    std::fs::write(folder.path().join("first.pem"), first.pem()).unwrap();
    std::fs::write(folder.path().join("second.pem"), second.pem()).unwrap();
    let tls = format!("[tls]\ncert = \"{}\"\nkey = \"{}\"\n", path("cert.pem"), path("key.pem"));
    let origin = Origin::answering(|_| Vec::new());
    let mut world = World::with(origin, |builder| builder.key("listen = \"0.0.0.0:0\"").table(&tls));
    let url = format!("https://127.0.0.1:{}", world.gateway.address().port());
    let token = world.token("operator", &["operators"]);
    let list = |world: &World, authority: &str, url: &str| {
        let file = path(authority);
        world.gateway.run(&token, &["targets", "list", "--url", url, "--ca-file", &file])
    };
    let listed = list(&world, "first.pem", &url);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    assert!(String::from_utf8_lossy(&listed.stdout).contains("api"));
    assert!(!list(&world, "second.pem", &url).status.success(), "another authority proves nothing");
    let plain = world.gateway.raw(
        format!("GET /v1/targets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").as_bytes(),
    );
    assert!(!plain.starts_with(b"HTTP/"), "a token in the clear is answered by nobody");

    second.certify("127.0.0.1").write(folder.path());
    assert!(world.gateway.reload());
    assert!(list(&world, "second.pem", &url).status.success());
    assert!(!list(&world, "first.pem", &url).status.success());
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    assert!(!world.gateway.reload(), "a key that is none is refused");
    assert!(list(&world, "second.pem", &url).status.success(), "and the one that stands stays");
    world.close();
}
