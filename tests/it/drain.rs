//! SIGTERM under load: the node ends well and in time, and owes nothing afterwards.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tandem_tests::client::Kind;
use tandem_tests::oracle::{Oracle, expect_each_row_once};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll, sample};

/// Clients that send at the same time.
const CLIENTS: usize = 4;
/// Acknowledgements after which the node is asked to stop.
const ENOUGH: usize = 20;

#[test]
fn invariant_3_a_stop_under_load_loses_nothing() {
    if !paths::has_model("invariant_3_a_stop_under_load_loses_nothing") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let files = sample::files(&paths::sample_resumes());
    let oracle = Mutex::new(Oracle::default());
    let next = AtomicUsize::new(0);
    let acknowledged = || oracle.lock().unwrap().len();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let content = std::fs::read(path).unwrap();
                    let Ok(answer) = client.try_submit(Kind::Resume, &sample::name(path), &content, None)
                    else {
                        return;
                    };
                    match answer.status {
                        200 | 202 => oracle.lock().unwrap().acknowledge(Kind::Resume, &answer.data()),
                        503 => assert_eq!(answer.error_code(), "UNAVAILABLE"),
                        other => panic!("{other}: {}", answer.text),
                    }
                }
            });
        }
        poll::until("enough is acknowledged", Duration::from_secs(60), || {
            (acknowledged() >= ENOUGH).then_some(())
        });
        sandbox.stop();
    });
    let oracle = oracle.into_inner().unwrap();
    assert!(sandbox.said().contains("stopped"), "it says how it stopped\n{}", sandbox.last_words());

    sandbox.spawn();
    let client = sandbox.expect_ready();
    oracle.expect_conserved(&client);
    let job = sample::files(&paths::sample_jobs()).remove(0);
    let job = client.accepted(Kind::Job, &sample::name(&job), &std::fs::read(&job).unwrap());
    client.expect_complete(Kind::Job, [&job]);
    let rows = client.run("job", &[&job], 1000);
    expect_each_row_once(&rows);
    assert!(oracle.owed(Kind::Resume).all(|id| rows.iter().any(|row| row.candidate == *id)));
    sandbox.stop();
}
