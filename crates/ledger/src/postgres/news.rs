//! Word that a ledger moved: within the process at once, to other processes by
//! NOTIFY, from them by LISTEN. A hint and no more: whoever must know looks at
//! the heads.
//!
//! NOTIFY is no part of the append's transaction. A transaction that notifies
//! holds a lock of the whole database from before its commit until after it is
//! on disk, so that all ledgers would commit one after the other. A task of its
//! own sends what has gathered, and does not wait for the disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lastresort_fact::OrganisationId;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use tokio::sync::{Notify, broadcast};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::lines::GREETING;
use crate::store::{Moved, StoreError};

const CHANNEL: &str = "lastresort_moved";

/// So many moves may wait for a slow receiver before it is told that it missed some.
const BACKLOG: usize = 1024;

/// The shortest time between two notifications: many commits, one message.
const BREATH: Duration = Duration::from_millis(20);

/// How long to wait before listening again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Where moves are told and heard.
#[derive(Clone)]
pub(super) struct News(Arc<Inner>);

struct Inner {
    told: broadcast::Sender<Moved>,
    /// The furthest position told of each ledger, so that nothing is told twice.
    furthest: Mutex<HashMap<OrganisationId, u64>>,
    /// What other processes are yet to hear.
    outgoing: Mutex<HashMap<OrganisationId, u64>>,
    waiting: Notify,
}

/// The tasks that send and listen; ended where this is dropped.
pub(super) struct Courier([AbortHandle; 2]);

impl Drop for Courier {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl News {
    pub(super) fn new() -> Self {
        let (told, _) = broadcast::channel(BACKLOG);
        Self(Arc::new(Inner { told, furthest: Mutex::default(), outgoing: Mutex::default(), waiting: Notify::new() }))
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.0.told.subscribe()
    }

    /// Tells of a commit of this process.
    pub(super) fn tell(&self, moved: Moved) {
        self.pass_on(moved);
        further(&self.0.outgoing, moved);
        self.0.waiting.notify_one();
    }

    fn pass_on(&self, moved: Moved) {
        if further(&self.0.furthest, moved) {
            // Nobody may be listening, which is no fault.
            self.0.told.send(moved).ok();
        }
    }

    /// Begins to exchange news with other processes.
    pub(super) async fn exchange(&self, options: PgConnectOptions) -> Result<Courier, StoreError> {
        let pool = PgPoolOptions::new().max_connections(2).idle_timeout(None).max_lifetime(None);
        let pool = pool.after_connect(|connection, _| {
            Box::pin(async move {
                let quick = format!("{GREETING}; SET synchronous_commit = off");
                sqlx::Executor::execute(connection, quick.as_str()).await.map(|_| ())
            })
        });
        let pool = pool.connect_lazy_with(options);
        let listener = listen(&pool).await?;
        let (sender, hearer) = (self.clone(), self.clone());
        let send = tokio::spawn(async move { sender.send(pool).await });
        let hear = tokio::spawn(async move { hearer.hear(listener).await });
        Ok(Courier([send.abort_handle(), hear.abort_handle()]))
    }

    async fn send(self, pool: PgPool) {
        loop {
            self.0.waiting.notified().await;
            let moved = std::mem::take(&mut *self.0.outgoing.lock().unwrap_or_else(PoisonError::into_inner));
            let messages: Vec<String> = moved.into_iter().map(|(organisation, position)| format!("{organisation}:{position}")).collect();
            let sql = "SELECT pg_notify($1, m.message) FROM unnest($2::text[]) AS m (message)";
            if let Err(error) = sqlx::query(sql).bind(CHANNEL).bind(messages).execute(&pool).await {
                tracing::warn!(%error, "other servers were not told that ledgers moved");
            }
            sleep(BREATH).await;
        }
    }

    async fn hear(self, mut listener: PgListener) {
        let mut backoff = BACKOFF.0;
        loop {
            match listener.try_recv().await {
                Ok(Some(heard)) => {
                    backoff = BACKOFF.0;
                    if let Some(moved) = parse(heard.payload()) {
                        self.pass_on(moved);
                    }
                }
                Ok(None) => tracing::warn!("what other servers said meanwhile was not heard"),
                Err(error) => {
                    tracing::warn!(%error, "other servers are not heard");
                    sleep(backoff).await;
                    backoff = BACKOFF.1.min(backoff * 2);
                }
            }
        }
    }
}

async fn listen(pool: &PgPool) -> Result<PgListener, StoreError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Notes a move; `false` where as much was known already.
fn further(known: &Mutex<HashMap<OrganisationId, u64>>, moved: Moved) -> bool {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let position = known.entry(moved.organisation).or_insert(0);
    let further = moved.position > *position;
    *position = moved.position.max(*position);
    further
}

fn parse(message: &str) -> Option<Moved> {
    let (organisation, position) = message.split_once(':')?;
    Some(Moved { organisation: organisation.parse().ok()?, position: position.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use lastresort_fact::OrganisationId;
    use uuid::Uuid;

    use super::{Moved, News, parse};

    #[test]
    fn a_move_is_told_once() {
        let news = News::new();
        let mut heard = news.subscribe();
        let moved = |position| Moved { organisation: OrganisationId(Uuid::nil()), position };
        news.tell(moved(1));
        news.pass_on(moved(1));
        news.pass_on(moved(2));
        assert_eq!(heard.try_recv(), Ok(moved(1)));
        assert_eq!(heard.try_recv(), Ok(moved(2)));
        heard.try_recv().expect_err("nothing is told twice");
    }

    #[test]
    fn what_others_say_is_read_or_left() {
        let said = format!("{}:7", Uuid::nil());
        assert_eq!(parse(&said), Some(Moved { organisation: OrganisationId(Uuid::nil()), position: 7 }));
        assert_eq!(parse("7"), None);
    }
}
