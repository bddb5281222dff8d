//! What lies between the service and a PostgreSQL, so that a story can cut it.

use std::io;
use std::path::PathBuf;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// A way to a PostgreSQL server, over a port of its own.
pub struct Cable {
    /// The database's address, by way of it.
    pub address: String,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// Lays one to the database of an address.
    pub fn lay(database: &str) -> Self {
        let server = PgConnectOptions::from_str(database).expect("an address");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        port.set_nonblocking(true).expect("a port");
        let port = TcpListener::from_std(port).expect("a port");
        let (near, name) = (port.local_addr().expect("a port"), server.get_database().expect("a database"));
        let address = format!("postgres://{}@{near}/{name}", server.get_username());
        let (whole, seen) = watch::channel(true);
        tokio::spawn(lead(port, server, seen));
        Self { address, whole }
    }

    /// Cuts it, through whatever goes on.
    pub async fn cut(&self) {
        self.whole.send_replace(false);
        // Each connection sees to its own end; the port stays.
        while self.whole.receiver_count() > 1 {
            tokio::task::yield_now().await;
        }
    }

    /// Mends it.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

/// Leads whoever comes to the port on to the server, while the cable is whole.
async fn lead(port: TcpListener, server: PgConnectOptions, whole: watch::Receiver<bool>) {
    while let Ok((near, _)) = port.accept().await {
        if !*whole.borrow() {
            continue;
        }
        let (server, mut whole) = (server.clone(), whole.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = whole.wait_for(|whole| !whole) => {}
                _ = join(near, &server) => {}
            }
        });
    }
}

async fn join(mut near: TcpStream, server: &PgConnectOptions) -> io::Result<(u64, u64)> {
    let folder = server.get_socket().cloned().unwrap_or_else(|| PathBuf::from(server.get_host()));
    if folder.is_absolute() {
        let mut far = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", server.get_port()))).await?;
        return copy_bidirectional(&mut near, &mut far).await;
    }
    let mut far = TcpStream::connect((server.get_host(), server.get_port())).await?;
    copy_bidirectional(&mut near, &mut far).await
}
