//! Keys from outside: bounded in size and time, whatever the other side does.

use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use super::key::{KeyError, KeySet};

/// How much is read of what should be keys.
const BYTES_MAX: u64 = 256 * 1024;
/// How long an issuer may take to answer in full.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn file(path: &Path) -> Result<KeySet, KeyError> {
    let mut bytes = Vec::new();
    tokio::fs::File::open(path).await?.take(BYTES_MAX + 1).read_to_end(&mut bytes).await?;
    bounded(&bytes)?;
    KeySet::read(&bytes)
}

pub(super) async fn url(client: &reqwest::Client, url: &str) -> Result<KeySet, KeyError> {
    let request = client.get(url).timeout(PATIENCE).header("accept", "application/jwk-set+json, application/json");
    let mut answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(reqwest::Error::without_url)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        bytes.extend_from_slice(&chunk);
        bounded(&bytes)?;
    }
    KeySet::from_jwks(&bytes)
}

fn bounded(bytes: &[u8]) -> Result<(), KeyError> {
    if bytes.len() as u64 > BYTES_MAX { Err(KeyError::TooLarge) } else { Ok(()) }
}
