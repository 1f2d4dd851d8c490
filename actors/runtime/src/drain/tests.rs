use super::*;

#[tokio::test(start_paused = true)]
async fn it_is_over_when_its_limit_has_passed() {
    let drain = Drain::new();
    assert!(!drain.is_draining() && !drain.is_over());
    let since = Instant::now();
    let begin = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drain.begin();
        drain.begin_within(Duration::from_secs(1));
    };
    let (begun_at, ()) = tokio::join!(
        async {
            drain.begun().await;
            since.elapsed()
        },
        begin
    );
    assert_eq!(begun_at, Duration::from_secs(5));
    assert!(drain.is_draining() && !drain.is_over());
    drain.over().await;
    assert!(drain.is_over());
    assert_eq!(since.elapsed(), begun_at + Drain::LIMIT, "the second beginning changed nothing");
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_what_is_in_hand_and_counts_how_it_ended() {
    let drain = Drain::new();
    drop(drain.hold());
    let (one, mut two) = (drain.hold(), drain.hold());
    assert_eq!(drain.in_hand(), 2);
    drain.begin();
    assert!(tokio::time::timeout(Duration::from_secs(1), drain.idle()).await.is_err());
    two.give_back();
    drop((one, two));
    drain.idle().await;
    assert_eq!((drain.finished(), drain.given_back()), (1, 1), "what ended before does not count");
}
