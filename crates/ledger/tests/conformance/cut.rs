//! A way to PostgreSQL that breaks on demand just when COMMIT goes by.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};

/// COMMIT as a message of the simple protocol.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Where the way breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// COMMIT never arrives.
    BeforeCommit = 1,
    /// COMMIT is done, and its answer never arrives.
    AfterCommit = 2,
}

/// The way.
pub(crate) struct Proxy {
    folder: TempDir,
    database: String,
    user: String,
    state: Arc<State>,
}

struct State {
    next: AtomicU8,
    cuts: AtomicU32,
    host: String,
    port: u16,
}

impl Proxy {
    /// Begins to listen on a socket of its own.
    pub(crate) fn to(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("an address");
        let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
        let state = State { next: AtomicU8::new(0), cuts: AtomicU32::new(0), host, port: options.get_port() };
        let state = Arc::new(state);
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&accepting).serve(client));
            }
        });
        let database = options.get_database().expect("an address names a database").to_owned();
        Self { folder, database, user: options.get_username().to_owned(), state }
    }

    /// The address to connect to.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{}@localhost/{}?host={}", self.user, self.database, self.folder.path().display())
    }

    /// Breaks the way when the next COMMIT goes by.
    pub(crate) fn cut_next(&self, cut: Cut) {
        self.state.next.store(cut as u8, Ordering::SeqCst);
    }

    /// How often it broke.
    pub(crate) fn cuts(&self) -> u32 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl State {
    async fn serve(self: Arc<Self>, client: UnixStream) {
        if self.host.starts_with('/') {
            let socket = PathBuf::from(&self.host).join(format!(".s.PGSQL.{}", self.port));
            self.carry(client, UnixStream::connect(socket).await.expect("the server's socket")).await;
        } else {
            self.carry(client, TcpStream::connect((self.host.as_str(), self.port)).await.expect("the server")).await;
        }
    }

    async fn carry(&self, client: UnixStream, server: impl AsyncRead + AsyncWrite) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let back = tokio::io::copy(&mut from_server, &mut to_client);
        tokio::pin!(back);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = tokio::select! {
                read = from_client.read(&mut buffer) => read.unwrap_or(0),
                _ = &mut back => return,
            };
            if read == 0 {
                return;
            }
            let cut = if buffer[..read] == *COMMIT { self.next.swap(0, Ordering::SeqCst) } else { 0 };
            if cut > 0 {
                self.cuts.fetch_add(1, Ordering::SeqCst);
            }
            if cut == Cut::BeforeCommit as u8 {
                return;
            }
            to_server.write_all(&buffer[..read]).await.expect("the server listens");
            if cut == Cut::AfterCommit as u8 {
                return;
            }
        }
    }
}
