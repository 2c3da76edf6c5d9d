use super::*;

fn error_of(toml: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("policies")).unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let file = folder.path().join("countersign.toml");
    std::fs::write(&file, toml).unwrap();
    let error = Config::load(&file).err().expect("this configuration must be refused").to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

const HEAD: &str = "listen = '127.0.0.1:0'\ndata = 'data'\npolicies = 'policies'\n";

#[test]
fn what_is_wrong_is_named_by_file_line_and_key() {
    for (toml, begins) in [
        ("lisen = 'x'", "countersign.toml:1: unknown field `lisen`"),
        ("listen = 'x'\ndata = 'd'\npolicies = 'policies'", "countersign.toml:1: `listen`: no address"),
        (
            "listen = '0.0.0.0:1'\ndata = 'd'\npolicies = 'policies'",
            "countersign.toml:1: `listen`: a bearer token",
        ),
    ] {
        let error = error_of(toml);
        assert!(error.starts_with(begins), "{error}");
    }
    for (toml, begins) in [
        ("key_file = 'data/key'", "countersign.toml:4: `key_file`: the key file lies in the data folder"),
        (
            "key_file = 'policies/../data/key'",
            "countersign.toml:4: `key_file`: the key file lies in the data folder",
        ),
        ("[journal]\nsync = 'never'", "countersign.toml:5: `journal.sync`: must be"),
        ("[targets.crm]\nurl = 'http://x'", "countersign.toml:4: `targets.crm`: `protocol` is missing"),
        (
            "[targets.crm]\nprotocol = 'gopher'",
            "countersign.toml:5: `targets.crm.protocol`: there is no such",
        ),
        ("[targets.Crm]\nprotocol = 'http'", "countersign.toml:4: `targets.Crm`: `Crm` is no target name"),
        (
            "[targets.countersign]\nprotocol = 'http'",
            "countersign.toml:4: `targets.countersign`: this name is",
        ),
        (
            "[targets.crm]\nprotocol = 'http'\nurll = 'http://x'",
            "countersign.toml:6: `targets.crm.urll`: unknown field",
        ),
        (
            "[targets.crm]\nprotocol = 'http'\nurl = 'ftp://x'",
            "countersign.toml:6: `targets.crm.url`: `ftp://x` must",
        ),
    ] {
        let error = error_of(&format!("{HEAD}{toml}\n"));
        assert!(error.starts_with(begins), "{error}");
    }
}

#[test]
fn a_mistyped_key_is_answered_with_the_nearest_known_one() {
    assert!(error_of("lisen = 'x'").ends_with("help: did you mean `listen`?"));
    let error = error_of(&format!("{HEAD}[targets.crm]\nprotocol = 'http'\nurll = 'http://x'\n"));
    assert!(error.ends_with("help: did you mean `url`?"), "{error}");
}

#[test]
fn the_key_file_lies_beside_the_data_folder() {
    assert_eq!(beside(Path::new("/var/lib/countersign")), Path::new("/var/lib/countersign.key"));
    assert_eq!(beside(Path::new("data/")), Path::new("data.key"));
}

#[test]
fn the_public_url_has_the_port_that_was_bound_unless_it_is_stated() {
    let bound = |more: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        let file = folder.path().join("countersign.toml");
        std::fs::write(&file, format!("{HEAD}{more}")).unwrap();
        let mut config = Config::load(&file).unwrap();
        config.bound("127.0.0.1:7443".parse().unwrap());
        config.public_url
    };
    assert_eq!(bound(""), "http://127.0.0.1:7443");
    assert_eq!(bound("public_url = 'https://gate.example/'"), "https://gate.example");
}
