//! Every statement, prepared once.

use scylla::client::execution_profile::ExecutionProfileHandle;
use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use crate::error::ScyllaError;
use crate::session::Profiles;

/// The statements of a table of cells.
pub(crate) struct CellTable {
    pub(crate) name: &'static str,
    pub(crate) insert: PreparedStatement,
    pub(crate) replace: PreparedStatement,
    pub(crate) read: PreparedStatement,
    pub(crate) read_serial: PreparedStatement,
}

/// The registry: one field for each statement.
pub(crate) struct Statements {
    pub(crate) documents: CellTable,
    pub(crate) versions: CellTable,
    pub(crate) tasks: CellTable,
    pub(crate) intents: CellTable,
    pub(crate) runs: CellTable,
    pub(crate) matches: CellTable,
    pub(crate) claims: CellTable,
    pub(crate) logged: CellTable,
    pub(crate) release_claim: PreparedStatement,
    pub(crate) drop_version: PreparedStatement,
    pub(crate) put_part: PreparedStatement,
    pub(crate) part: PreparedStatement,
    pub(crate) drop_parts: PreparedStatement,
    pub(crate) add_unsettled: PreparedStatement,
    pub(crate) drop_unsettled: PreparedStatement,
    pub(crate) unsettled: PreparedStatement,
    pub(crate) items: ItemStatements,
    pub(crate) forget: ForgetStatements,
    pub(crate) lists: ListStatements,
    pub(crate) log: LogStatements,
    pub(crate) quotas: QuotaStatements,
    pub(crate) accounts: CellTable,
    pub(crate) leads: LeadStatements,
    pub(crate) audit: AuditStatements,
    pub(crate) vectors: VectorStatements,
}

/// The statements of items of runs and their rows.
pub(crate) struct ItemStatements {
    pub(crate) insert: PreparedStatement,
    pub(crate) one: PreparedStatement,
    pub(crate) one_serial: PreparedStatement,
    pub(crate) page: PreparedStatement,
    pub(crate) count: PreparedStatement,
    pub(crate) count_ranked: PreparedStatement,
    pub(crate) put_row: PreparedStatement,
    pub(crate) rows: PreparedStatement,
    pub(crate) drop_rows: PreparedStatement,
}

/// The statements that forget runs and matches.
pub(crate) struct ForgetStatements {
    pub(crate) run: PreparedStatement,
    pub(crate) pair: PreparedStatement,
    pub(crate) items: PreparedStatement,
    pub(crate) rows: PreparedStatement,
}

/// The statements of lists of ids.
pub(crate) struct ListStatements {
    pub(crate) add_bucket: PreparedStatement,
    pub(crate) buckets: PreparedStatement,
    pub(crate) add_entry: PreparedStatement,
    pub(crate) entries: PreparedStatement,
    pub(crate) drop_entry: PreparedStatement,
}

/// The statements of quotas.
pub(crate) struct QuotaStatements {
    pub(crate) row: PreparedStatement,
    pub(crate) charge: PreparedStatement,
    pub(crate) first: PreparedStatement,
    pub(crate) next: PreparedStatement,
    pub(crate) remember: PreparedStatement,
    pub(crate) forget: PreparedStatement,
}

/// The statements of what leads to accounts.
pub(crate) struct LeadStatements {
    pub(crate) put_key: PreparedStatement,
    pub(crate) owner_of_key: PreparedStatement,
    pub(crate) put_member: PreparedStatement,
    pub(crate) members: PreparedStatement,
}

/// The statements of cached vectors.
pub(crate) struct VectorStatements {
    pub(crate) find: PreparedStatement,
    pub(crate) put: PreparedStatement,
    pub(crate) drop: PreparedStatement,
    pub(crate) put_way: PreparedStatement,
    pub(crate) of_version: PreparedStatement,
    pub(crate) drop_way: PreparedStatement,
}

/// The statements of the audit log.
pub(crate) struct AuditStatements {
    pub(crate) heads: CellTable,
    pub(crate) put_entry: PreparedStatement,
    pub(crate) entries: PreparedStatement,
}

/// The statements of the change log.
pub(crate) struct LogStatements {
    pub(crate) filled: PreparedStatement,
    pub(crate) group: PreparedStatement,
    pub(crate) fill: PreparedStatement,
    pub(crate) append: PreparedStatement,
    pub(crate) read: PreparedStatement,
    /// The group before a place.
    pub(crate) before: PreparedStatement,
}

/// Prepares for one keyspace.
struct Preparer<'a> {
    session: &'a Session,
    profiles: &'a Profiles,
    keyspace: &'a str,
}

impl Preparer<'_> {
    /// `@` stands for the keyspace.
    async fn prepare(
        &self,
        text: &str,
        profile: &ExecutionProfileHandle,
        idempotent: bool,
    ) -> Result<PreparedStatement, ScyllaError> {
        let text = text.replace('@', self.keyspace);
        let prepared = self.session.prepare(text.as_str()).await;
        let mut prepared =
            prepared.map_err(|error| ScyllaError::statement(format!("prepare `{text}`"), &error))?;
        prepared.set_execution_profile_handle(Some(profile.clone()));
        prepared.set_is_idempotent(idempotent);
        Ok(prepared)
    }

    async fn read(&self, text: &str) -> Result<PreparedStatement, ScyllaError> {
        self.prepare(text, &self.profiles.read, true).await
    }

    async fn write(&self, text: &str) -> Result<PreparedStatement, ScyllaError> {
        self.prepare(text, &self.profiles.write, true).await
    }

    /// Repeating a conditional write by itself could refuse what the first one applied: never idempotent.
    async fn conditional(&self, text: &str) -> Result<PreparedStatement, ScyllaError> {
        self.prepare(text, &self.profiles.conditional, false).await
    }

    async fn serial(&self, text: &str) -> Result<PreparedStatement, ScyllaError> {
        let mut prepared = self.prepare(text, &self.profiles.conditional, true).await?;
        prepared.set_consistency(Consistency::LocalSerial);
        Ok(prepared)
    }

    async fn cells(&self, name: &'static str) -> Result<CellTable, ScyllaError> {
        let select = format!("SELECT born, op, rev, body FROM @.{name} WHERE owner = ? AND key = ?");
        let insert = format!(
            "INSERT INTO @.{name} (owner, key, born, op, rev, body) VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS"
        );
        let replace =
            format!("UPDATE @.{name} SET op = ?, rev = ?, body = ? WHERE owner = ? AND key = ? IF rev = ?");
        Ok(CellTable {
            name,
            insert: self.conditional(&insert).await?,
            replace: self.conditional(&replace).await?,
            read: self.read(&select).await?,
            read_serial: self.serial(&select).await?,
        })
    }
}

impl Preparer<'_> {
    async fn release_claim(&self) -> Result<PreparedStatement, ScyllaError> {
        self.conditional("DELETE FROM @.claims WHERE owner = ? AND key = ? IF op = ?").await
    }

    async fn quotas(&self) -> Result<QuotaStatements, ScyllaError> {
        let update = "UPDATE @.quotas SET rev = ?, epoch = ?, op = ?, body = ? WHERE owner = ? IF";
        Ok(QuotaStatements {
            row: self.serial("SELECT rev, op, body FROM @.quotas WHERE owner = ? LIMIT 1").await?,
            charge: self.read("SELECT charge FROM @.quotas WHERE owner = ? AND operation = ?").await?,
            first: self.conditional(&format!("{update} rev = null")).await?,
            next: self.conditional(&format!("{update} rev = ? AND epoch <= ?")).await?,
            remember: self
                .conditional("INSERT INTO @.quotas (owner, operation, charge) VALUES (?, ?, ?) USING TTL ?")
                .await?,
            forget: self.conditional("DELETE FROM @.quotas WHERE owner = ? AND operation = ?").await?,
        })
    }

    async fn leads(&self) -> Result<LeadStatements, ScyllaError> {
        Ok(LeadStatements {
            put_key: self.write("INSERT INTO @.api_keys (digest, owner) VALUES (?, ?)").await?,
            owner_of_key: self.read("SELECT owner FROM @.api_keys WHERE digest = ?").await?,
            put_member: self.write("INSERT INTO @.members (tenant, owner) VALUES (?, ?)").await?,
            members: self.read("SELECT owner FROM @.members WHERE tenant = ? AND owner > ? LIMIT ?").await?,
        })
    }

    async fn vectors(&self) -> Result<VectorStatements, ScyllaError> {
        let version = "owner = ? AND document = ? AND version = ?";
        Ok(VectorStatements {
            find: self.read("SELECT body FROM @.cached_vectors WHERE owner = ? AND key = ?").await?,
            put: self
                .write("INSERT INTO @.cached_vectors (owner, key, body) VALUES (?, ?, ?) USING TTL ?")
                .await?,
            drop: self.write("DELETE FROM @.cached_vectors WHERE owner = ? AND key = ?").await?,
            put_way: self
                .write(
                    "INSERT INTO @.cached_by_version (owner, document, version, key) VALUES (?, ?, ?, ?)
                    USING TTL ?",
                )
                .await?,
            of_version: self.read(&format!("SELECT key FROM @.cached_by_version WHERE {version}")).await?,
            drop_way: self.write(&format!("DELETE FROM @.cached_by_version WHERE {version}")).await?,
        })
    }

    async fn audit(&self) -> Result<AuditStatements, ScyllaError> {
        Ok(AuditStatements {
            heads: self.cells("audit_heads").await?,
            put_entry: self
                .write("INSERT INTO @.audit_entries (tenant, segment, sequence, body) VALUES (?, ?, ?, ?)")
                .await?,
            entries: self
                .read("SELECT body FROM @.audit_entries WHERE tenant = ? AND segment = ? AND sequence >= ? LIMIT ?")
                .await?,
        })
    }

    async fn items(&self) -> Result<ItemStatements, ScyllaError> {
        let segment = "FROM @.run_items WHERE owner = ? AND run = ? AND segment = ?";
        let one = format!("SELECT born {segment} AND item = ?");
        let attempt = "owner = ? AND run = ? AND item = ? AND attempt = ?";
        Ok(ItemStatements {
            insert: self
                .conditional(
                    "INSERT INTO @.run_items (owner, run, segment, item, born, ranked, failure)
                    VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
                )
                .await?,
            one: self.read(&one).await?,
            one_serial: self.serial(&one).await?,
            page: self
                .read(&format!("SELECT item, born, ranked, failure {segment} AND item >= ? LIMIT ?"))
                .await?,
            count: self
                .read(&format!("SELECT count(item), count(ranked), count(failure) {segment}"))
                .await?,
            count_ranked: self.read(&format!("SELECT sum(ranked) {segment}")).await?,
            put_row: self
                .write("INSERT INTO @.run_rows (owner, run, item, attempt, rank, body) VALUES (?, ?, ?, ?, ?, ?)")
                .await?,
            rows: self
                .read(&format!("SELECT rank, body FROM @.run_rows WHERE {attempt} AND rank > ? LIMIT ?"))
                .await?,
            drop_rows: self.write(&format!("DELETE FROM @.run_rows WHERE {attempt}")).await?,
        })
    }

    async fn forget(&self) -> Result<ForgetStatements, ScyllaError> {
        Ok(ForgetStatements {
            run: self.conditional("DELETE FROM @.runs WHERE owner = ? AND key = ? IF op = ?").await?,
            pair: self.conditional("DELETE FROM @.matches WHERE owner = ? AND key = ? IF op = ?").await?,
            items: self.write("DELETE FROM @.run_items WHERE owner = ? AND run = ? AND segment = ?").await?,
            rows: self.write("DELETE FROM @.run_rows WHERE owner = ? AND run = ? AND item = ?").await?,
        })
    }

    async fn lists(&self) -> Result<ListStatements, ScyllaError> {
        Ok(ListStatements {
            add_bucket: self.write("INSERT INTO @.list_buckets (owner, space, bucket) VALUES (?, ?, ?)").await?,
            buckets: self
                .read("SELECT bucket FROM @.list_buckets WHERE owner = ? AND space = ? AND bucket <= ? LIMIT ?")
                .await?,
            add_entry: self
                .write("INSERT INTO @.list_entries (owner, space, bucket, id) VALUES (?, ?, ?, ?)")
                .await?,
            entries: self
                .read("SELECT id FROM @.list_entries WHERE owner = ? AND space = ? AND bucket = ? AND id < ? LIMIT ?")
                .await?,
            drop_entry: self
                .write("DELETE FROM @.list_entries WHERE owner = ? AND space = ? AND bucket = ? AND id = ?")
                .await?,
        })
    }

    async fn log(&self) -> Result<LogStatements, ScyllaError> {
        Ok(LogStatements {
            filled: self.serial("SELECT filled FROM @.change_log WHERE segment = ? LIMIT 1").await?,
            group: self.serial("SELECT op FROM @.change_log WHERE segment = ? AND first = ?").await?,
            fill: self
                .conditional("UPDATE @.change_log SET filled = ? WHERE segment = ? IF filled = ?")
                .await?,
            append: self
                .conditional(
                    "INSERT INTO @.change_log (segment, first, count, op, body) VALUES (?, ?, ?, ?, ?)",
                )
                .await?,
            before: self
                .read(
                    "SELECT first, count, body FROM @.change_log WHERE segment = ? AND first < ?
                    ORDER BY first DESC LIMIT 1",
                )
                .await?,
            read: self
                .read("SELECT first, count, body FROM @.change_log WHERE segment = ? AND first >= ? LIMIT ?")
                .await?,
        })
    }
}

impl Statements {
    /// Prepares everything. The caller bounds the time: preparing has no limit of its own.
    pub(crate) async fn prepare(
        session: &Session,
        profiles: &Profiles,
        keyspace: &str,
    ) -> Result<Self, ScyllaError> {
        let p = Preparer { session, profiles, keyspace };
        Ok(Self {
            documents: p.cells("documents").await?,
            versions: p.cells("versions").await?,
            tasks: p.cells("tasks").await?,
            intents: p.cells("intents").await?,
            runs: p.cells("runs").await?,
            matches: p.cells("matches").await?,
            claims: p.cells("claims").await?,
            logged: p.cells("logged").await?,
            release_claim: p.release_claim().await?,
            drop_version: p
                .conditional("DELETE FROM @.versions WHERE owner = ? AND key = ? IF op = ?")
                .await?,
            put_part: p.write("INSERT INTO @.parts (owner, op, part, body) VALUES (?, ?, ?, ?)").await?,
            part: p.read("SELECT body FROM @.parts WHERE owner = ? AND op = ? AND part = ?").await?,
            drop_parts: p.write("DELETE FROM @.parts WHERE owner = ? AND op = ?").await?,
            add_unsettled: p
                .write("INSERT INTO @.unsettled_tasks (shard, owner, id) VALUES (?, ?, ?) USING TIMESTAMP ?")
                .await?,
            drop_unsettled: p
                .write("DELETE FROM @.unsettled_tasks USING TIMESTAMP ? WHERE shard = ? AND owner = ? AND id = ?")
                .await?,
            unsettled: p
                .read("SELECT owner, id FROM @.unsettled_tasks WHERE shard = ? AND (owner, id) > (?, ?) LIMIT ?")
                .await?,
            items: p.items().await?,
            forget: p.forget().await?,
            lists: p.lists().await?,
            log: p.log().await?,
            quotas: p.quotas().await?,
            accounts: p.cells("accounts").await?,
            leads: p.leads().await?,
            audit: p.audit().await?,
            vectors: p.vectors().await?,
        })
    }
}
