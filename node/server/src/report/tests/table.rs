use expect_test::expect;
use unicode_width::UnicodeWidthChar;

use super::super::table;
use super::{ARABIC, empty, sample};

fn cells(line: &str) -> usize {
    line.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[test]
fn eighty_columns() {
    expect![[r#"
        Backend Engineer · Northwind & Sons (jobs/backend.pdf)
        Rank Score  Name            Skl Ttl Sim Exp Edu Found Missing
        ───────────────────────────────────────────────────────────────────────────
           1 87.25  ‎علاء الأحمد‎      91  80  70   ? 100   2/3 GraphQL
           2 41.10* =HYPERLINK("x")   9   ?  50   ?   ?   0/3 Rust, Docker, GraphQL

        Operator (jobs/ops.md)
        Rank  Score  Name               Skl Ttl Sim Exp Edu Found Missing
        ─────────────────────────────────────────────────────────────────
           1 100.00  <script>alert('x'… 100 100 100 100 100   1/1

        Could not be read
          people/<photo>.jpg (resume, UNSUPPORTED_TYPE)
            This is an image. Save it as PDF.

        Score and categories in percent
        ? the résumé does not say
        * too little is known for the score to mean much
    "#]]
    .assert_eq(&table(&sample(), Some(80)));
}

#[test]
fn a_pipe_gets_a_hundred_and_twenty() {
    let text = table(&sample(), None);
    assert_eq!(text, table(&sample(), Some(120)));
    expect![[r#"
        Backend Engineer · Northwind & Sons (jobs/backend.pdf)
        Rank  Score   Name             Skills  Title  Simil  Exper  Educ  Found  Missing
        ──────────────────────────────────────────────────────────────────────────────────────────────
           1  87.25   ‎علاء الأحمد‎          91     80     70      ?   100    2/3  GraphQL
           2  41.10*  =HYPERLINK("x")       9      ?     50      ?     ?    0/3  Rust, Docker, GraphQL

        Operator (jobs/ops.md)
        Rank   Score   Name                         Skills  Title  Simil  Exper  Educ  Found  Missing
        ─────────────────────────────────────────────────────────────────────────────────────────────
           1  100.00   <script>alert('x')</script>     100    100    100    100   100    1/1

        Could not be read
          people/<photo>.jpg (resume, UNSUPPORTED_TYPE)
            This is an image. Save it as PDF.

        Score and categories in percent
        ? the résumé does not say
        * too little is known for the score to mean much
    "#]]
    .assert_eq(&text);
}

#[test]
fn no_row_is_wider_than_the_terminal() {
    let mut report = sample();
    for person in report.jobs.iter_mut().flat_map(|job| &mut job.people) {
        person.name = "ﷲ علاء الأحمد 山田太郎 of the very long name ".repeat(4);
        let skill = person.found.first().or(person.missing.first()).unwrap().clone();
        person.missing = vec![skill; 40];
    }
    for width in [64, 80, 99, 100, 120, 200] {
        let text = table(&report, Some(width));
        let rows = text.lines().filter(|line| line.trim_start().starts_with(['1', '2', '─']));
        assert!(rows.clone().count() >= 5);
        rows.for_each(|row| assert!(cells(row) <= usize::from(width), "{width}: {row}"));
    }
}

#[test]
fn arabic_names_keep_the_columns() {
    let report = sample();
    let text = table(&report, Some(120));
    let at = |line: &str, what: &str| line.split_once(what).map(|(before, _)| cells(before)).unwrap();
    let row = text.lines().find(|line| line.contains(ARABIC)).unwrap();
    let header = text.lines().nth(1).unwrap();
    assert_eq!(at(row, "GraphQL"), at(header, "Missing"));
    assert_eq!(at(row, ARABIC), at(header, "Name"));
}

#[test]
fn a_name_steers_no_terminal() {
    let mut report = sample();
    report.jobs[0].people[0].name = "\u{1b}[31mred\u{202e}\nname\u{e000}".to_owned();
    let text = table(&report, None);
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{e000}']));
    assert!(text.lines().any(|line| line.contains(" [31mred name ")));
}

#[test]
fn nothing_is_said_to_be_nothing() {
    assert_eq!(table(&empty(), None), "No job could be read, so nothing was matched.\n");
    let mut report = sample();
    report.jobs[1].people.clear();
    assert!(table(&report, None).contains("Operator (jobs/ops.md)\n  No résumé to compare with.\n"));
}
