//! The yardstick of reads: what the same web framework answers at best, behind
//! the same check of the same token.

use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpServer, web};
use lastresort_api::problem::Problem;
use lastresort_api::token::{Verifier, bearer_token};
use serde::Serialize;

use super::other;
use crate::config::Settings;
use crate::running::{StartError, client, tokens};

#[derive(Serialize)]
struct Hello {
    hello: &'static str,
}

async fn hello(verifier: web::Data<Verifier>, request: HttpRequest) -> Result<web::Json<Hello>, Problem> {
    verifier.verify(bearer_token(request.headers())?).await?;
    Ok(web::Json(Hello { hello: "world" }))
}

/// Starts it; it answers when this returns.
pub(super) fn start(settings: &Settings) -> Result<(SocketAddr, ServerHandle), StartError> {
    let verifier = Verifier::try_new(tokens(settings)?.0, &client(settings).map_err(other)?).map_err(other)?;
    let verifier = web::Data::new(verifier);
    let mut server = HttpServer::new(move || App::new().app_data(verifier.clone()).route("/hello", web::get().to(hello)))
        .tcp_nodelay(true)
        .disable_signals();
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let server = server.bind(&settings.listen).map_err(other)?;
    let address = server.addrs().first().copied().ok_or_else(|| other("no address to listen on"))?;
    let server = server.run();
    let handle = server.handle();
    drop(tokio::spawn(server));
    Ok((address, handle))
}
