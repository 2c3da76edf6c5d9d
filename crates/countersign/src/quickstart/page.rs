//! The page that people read when a quickstart has started: where things are, and what to paste. It fits 100 columns, but for
//! tokens and paths.

use std::fmt::Write as _;
use std::path::Path;

use super::announce::Announcement;

/// How long the payment waits for a signature, in seconds.
const WAIT: u32 = 120;

/// The page.
pub(super) fn of(told: &Announcement) -> String {
    let mut page = Page::default();
    page.places(told);
    page.tokens(told);
    if told.demo.is_some() {
        page.try_the_demo()
    } else {
        page.try_own_api()
    }
    page.sign();
    page.look_back(told);
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn places(&mut self, told: &Announcement) {
        self.line("");
        self.line("Countersign runs: for trying it out, on this machine only.");
        self.line("");
        self.row("gateway", &told.gateway, "");
        if let Some(demo) = &told.demo {
            self.row("demo API", demo, "customers and payments; only the gateway knows its key");
        }
        if let Some(api) = &told.api {
            self.row("your API", api, "behind the gateway below /t/api/");
        }
        self.row("issuer", &told.issuer, "DEVELOPMENT ONLY: it signs in whomever it is told to");
        self.line("");
        self.place("configuration", &told.config, "With the policies beside it: to be read, and changed.");
        self.place("data", &told.data, "State and journal. What is secret in it is sealed.");
        self.place(
            "key",
            &told.key_file,
            "Opens the data. The folder alone, or a copy of it, opens nothing.",
        );
        self.place(
            "development",
            &told.development,
            "The issuer's signing key and the demo's own files. Not sealed.",
        );
    }

    fn tokens(&mut self, told: &Announcement) {
        let until = told.expires.to_string().get(..16).unwrap_or_default().replace('T', " ");
        let (function, approver) = (&told.function, &told.approver);
        self.heading(1, "Sign in: paste this into another terminal.");
        self.line(&format!(
            "   FUNCTION is {}, in {}. APPROVER is {}, in {}.",
            function.principal, function.group, approver.principal, approver.group
        ));
        self.line(&format!("   Both are good for 12 hours, until {until} UTC.\n"));
        self.line(&format!("export FUNCTION={}", function.token));
        self.line(&format!("export APPROVER={}", approver.token));
        self.line(&format!("export COUNTERSIGN_URL={}", told.gateway));
        self.line(&format!("export COUNTERSIGN_CONFIG={}", quoted(&told.config)));
        if let Some(program) = elsewhere() {
            self.line(&format!("alias countersign={}", quoted(&program)));
        }
    }

    fn try_the_demo(&mut self) {
        self.heading(2, "The function reads a customer. What is personal in the answer is masked.\n");
        self.line("curl -s $COUNTERSIGN_URL/v1/targets/demo/calls -H \"Authorization: Bearer $FUNCTION\" \\");
        self.line("  -d '{\"operation\": \"customers.read\", \"arguments\": {\"id\": 1}}' -w '\\n'");
        self.heading(3, "It pays. The call waits for a signature, here in the background.\n");
        self.line("curl -s $COUNTERSIGN_URL/v1/targets/demo/calls -H \"Authorization: Bearer $FUNCTION\" \\");
        self.line(&format!("  -H 'Prefer: wait={WAIT}' -d '{{\"operation\": \"payments.create\","));
        self.line(
            "    \"arguments\": {\"customer\": 1, \"amount\": 4200, \"reason\": \"refund\"}}' -w '\\n' &",
        );
    }

    fn try_own_api(&mut self) {
        self.heading(2, "The function reads. Put a path of your API behind /t/api/.\n");
        self.line("curl -si $COUNTERSIGN_URL/t/api/ -H \"Authorization: Bearer $FUNCTION\" -w '\\n'");
        self.heading(
            3,
            "It asks for anything else. The call waits for a signature, here in the background.\n",
        );
        self.line("curl -si $COUNTERSIGN_URL/t/api/ -H \"Authorization: Bearer $FUNCTION\" \\");
        self.line(&format!(
            "  -H 'Prefer: wait={WAIT}' -H 'Content-Type: application/json' -d '{{\"hello\": 1}}' -w '\\n' &"
        ));
    }

    fn sign(&mut self) {
        self.heading(4, "Somebody else signs for it. The answer to the waiting call appears, too.\n");
        self.line("sleep 1; ID=$(curl -s \"$COUNTERSIGN_URL/v1/approvals?state=pending\" \\");
        self.line("  -H \"Authorization: Bearer $APPROVER\" |");
        self.line("  sed -n 's/^{\"approvals\":\\[{\"id\":\"\\([^\"]*\\)\".*/\\1/p')");
        self.line(
            "curl -s $COUNTERSIGN_URL/v1/approvals/$ID/approve -H \"Authorization: Bearer $APPROVER\" \\",
        );
        self.line("  -d '{\"reason\": \"I know about it\"}' -w '\\n'");
    }

    fn look_back(&mut self, told: &Announcement) {
        self.heading(5, "Look back with the command line, and prove that nothing was changed.\n");
        self.line("COUNTERSIGN_TOKEN=$APPROVER countersign approvals list --state all");
        self.line("COUNTERSIGN_TOKEN=$APPROVER countersign calls list");
        self.line("countersign audit verify");
        if let Some(code) = &told.setup_code {
            self.heading(6, "Nobody is an administrator yet. This code makes one, within a day.\n");
            self.line(&format!("COUNTERSIGN_TOKEN=$APPROVER countersign setup --code {code}"));
        }
        self.line("\nCtrl-C ends it; the same command carries on with what is there. Now follows the gateway's log.");
    }

    fn heading(&mut self, number: u8, text: &str) {
        let _ = writeln!(self.0, "\n{number}. {text}");
    }

    fn row(&mut self, label: &str, value: &str, note: &str) {
        self.line(format!("  {label:<15}{value:<26}{note}").trim_end());
    }

    fn place(&mut self, label: &str, path: &Path, note: &str) {
        self.line(&format!("  {label:<15}{}\n  {:<15}{note}", path.display(), ""));
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.0, "{text}");
    }
}

/// This program's file, unless the shell finds it by its name.
fn elsewhere() -> Option<std::path::PathBuf> {
    let own = std::env::current_exe().ok()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("countersign")).find(|file| file.is_file());
    let same = found.and_then(|file| std::fs::canonicalize(file).ok()) == std::fs::canonicalize(&own).ok();
    (!same).then_some(own)
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use gate::model::Timestamp;

    use super::super::announce::SignedIn;
    use super::*;

    fn told(demo: bool) -> Announcement {
        let address = || Some("http://127.0.0.1:7445".to_owned());
        let signed_in = |principal: &str, group: &str| SignedIn {
            principal: principal.to_owned(),
            group: group.to_owned(),
            token: "e30.e30.c2ln".to_owned(),
        };
        Announcement {
            gateway: "http://127.0.0.1:7443".to_owned(),
            issuer: "http://127.0.0.1:7444".to_owned(),
            demo: address().filter(|_| demo),
            api: address().filter(|_| !demo),
            config: "/srv/try it/countersign.toml".into(),
            data: "/srv/try it/data".into(),
            key_file: "/srv/try it.key".into(),
            development: "/srv/try it.dev".into(),
            function: signed_in("dev/billing-function", "dev/functions"),
            approver: signed_in("dev/ada", "dev/approvers"),
            expires: Timestamp::from_secs(1_800_000_000),
            setup_code: Some("ABCD-EFGH".to_owned()),
        }
    }

    #[test]
    fn the_page_fits_a_hundred_columns() {
        for demo in [true, false] {
            let page = of(&told(demo));
            let long = page.lines().find(|line| line.chars().count() > 100 && !line.starts_with("alias"));
            assert_eq!(long, None);
            assert!(
                page.contains("until 2027-01-15 08:00 UTC")
                    && page.contains("'/srv/try it/countersign.toml'")
            );
            assert_eq!(page.matches("\ncurl ").count(), 3);
        }
    }

    #[test]
    fn paths_are_quoted_for_the_shell() {
        assert_eq!(quoted(Path::new("/a/b-c.d")), "/a/b-c.d");
        assert_eq!(quoted(Path::new("/a/it's $HOME")), "'/a/it'\\''s $HOME'");
    }
}
