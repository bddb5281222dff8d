//! What clients know before they begin: which streams there are, at which
//! versions, and where pages begin. All of it is read over HTTP.

use serde_json::Value;

use super::drive::Plan;
use super::other;
use super::wire::Wire;
use crate::running::StartError;

/// One stream, as a resource.
#[derive(Clone)]
pub(super) struct Stream {
    /// Its path.
    pub(super) path: String,
    /// Its version.
    pub(super) version: u64,
}

/// What there is.
#[derive(Default)]
pub(super) struct Known {
    /// Streams that are long enough.
    pub(super) streams: Vec<Stream>,
    /// Pages of fifty.
    pub(super) pages: Vec<String>,
}

/// Lists what there is: streams with their versions, and where pages begin.
pub(super) async fn learn(plan: &Plan) -> Result<Known, StartError> {
    let mut wire = Wire::connect(plan.address, &plan.token).await?;
    let mut known = Known::default();
    for organisation in &plan.organisations {
        let persons = format!("/v1/organisations/{organisation}/persons");
        let mut place = String::new();
        loop {
            let path = format!("{persons}?limit=200{place}");
            let reply = wire.get(&path).await?;
            if reply.status != 200 {
                return Err(reply.unwanted(&path));
            }
            let page: Value = serde_json::from_slice(reply.body).map_err(other)?;
            let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
            if items.len() >= 50 || known.pages.is_empty() {
                known.pages.push(format!("{persons}?limit=50{place}"));
            }
            for item in items {
                let (Some(id), Some(version)) = (item["id"].as_str(), item["version"].as_u64()) else { continue };
                if version >= plan.events_min {
                    known.streams.push(Stream { path: format!("{persons}/{id}"), version });
                }
            }
            let Some(next) = page["next"].as_str().filter(|_| known.streams.len() < plan.streams_max as usize) else { break };
            place = format!("&cursor={next}");
        }
    }
    known.streams.truncate(plan.streams_max as usize);
    Ok(known)
}
