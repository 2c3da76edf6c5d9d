//! `setup`

use serde_json::{Value, json};

use super::{print, print_json, read_secret, text};
use crate::cli::Setup;
use crate::client::Client;

/// Redeems the one-time code.
pub(crate) async fn run(setup: &Setup, json: bool) -> anyhow::Result<()> {
    let client = Client::new(&setup.connection)?;
    let typed = match &setup.code {
        Some(code) => code.clone(),
        None => read_secret("One-time code: ")?.expose_str().unwrap_or_default().to_owned(),
    };
    let answer: Value =
        client.post("/v1/setup", &json!({ "code": typed.trim() }), None).await?.json().await?;
    if json {
        print_json(&answer);
    } else {
        print(&format!("{} is an administrator now", text(&answer, "administrator")));
    }
    Ok(())
}
