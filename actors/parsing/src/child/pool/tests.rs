use std::os::unix::process::ExitStatusExt;

use super::*;

fn by(signal: i32) -> Death {
    Death::of(ExitStatus::from_raw(signal))
}

#[test]
fn deaths_are_told_apart() {
    assert_eq!(by(libc::SIGXCPU), Death::OutOfTime);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        assert_eq!(by(signal), Death::ToldToEnd);
    }
    for signal in [libc::SIGABRT, libc::SIGKILL] {
        assert_eq!(by(signal), Death::OutOfMemory);
    }
    assert_eq!(by(libc::SIGSEGV), Death::Other);
    assert_eq!(Death::of(ExitStatus::from_raw(3 << 8)), Death::Other, "an exit code");
}

#[test]
fn a_document_is_blamed_for_two_deaths_of_which_none_came_from_outside() {
    use Death::{Other, OutOfMemory, OutOfTime, ToldToEnd};

    for first in [ToldToEnd, OutOfMemory, Other] {
        let told = blame(first, ToldToEnd);
        assert!(matches!(told, ExtractError::Unavailable { .. }), "{first:?}");
        assert_eq!(blame(first, OutOfTime), ExtractError::Timeout);
    }
    for first in [OutOfMemory, Other] {
        assert_eq!(blame(first, OutOfMemory), ExtractError::OutOfMemory);
        assert_eq!(blame(first, Other), ExtractError::Killed);
    }
    assert!(matches!(blame(ToldToEnd, OutOfMemory), ExtractError::Unavailable { .. }));
}
