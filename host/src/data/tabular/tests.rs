//! Small tables, made by hand.

use super::*;

fn table(text: &str) -> Result<Table, TableError> {
    Table::parse(Path::new("t.csv"), text.as_bytes())
}

fn message<T>(result: Result<T, TableError>) -> String {
    result.err().expect("an error").to_string()
}

fn readings(text: &str) -> Result<Readings, TableError> {
    let table = table(text)?;
    let readings = table.readings(table.columns_except(&["y"])?)?;
    table.refuse_constant(&readings)?;
    Ok(readings)
}

#[test]
fn values_come_in_order() {
    let read = readings("\u{feff}a, b ,y\r\n1, 2.5,p\r\n-0,4e2,q\r\n").unwrap();
    assert_eq!(read.features, ["a", "b"]);
    assert_eq!(read.values, [1.0, 2.5, 0.0, 400.0]);
    assert!(read.values[2].is_sign_positive());
}

#[test]
fn faults_name_file_line_and_column() {
    assert!(message(table("")).starts_with("t.csv: the file is empty"));
    assert!(message(table("\n \n")).starts_with("t.csv: the file is empty"));
    assert!(message(table("a,y\n")).starts_with("t.csv: no rows"));
    assert_eq!(
        message(table("a,y\n1,p\n2\n")),
        "t.csv:3: 1 values where the header names 2 columns"
    );
    assert!(message(table("a,a,y\n1,2,p\n")).contains("`a` stands 2 times"));
    assert!(message(readings("a,y\n1,p\nx,q\n")).starts_with("t.csv:3: column `a` holds `x`, which is not a number"));
    assert!(message(readings("a,y\n1,p\n\n\"\",q\n")).starts_with("t.csv:4: column `a` is empty"));
    for bad in ["nan", "NaN", "inf", "-Infinity", "1e39"] {
        let message = message(readings(&format!("a,y\n{bad},p\n1,q\n")));
        assert!(
            message.starts_with(&format!("t.csv:2: column `a` holds `{bad}`, which is not a finite")),
            "{message}"
        );
    }
    assert!(message(readings("a,y\n1,p\n1,q\n")).starts_with("t.csv: column `a` is 1 in every row"));
    assert!(message(readings("a,b\n1,2\n")).ends_with("no column `y`; there are: a, b"));
    assert!(message(readings("y\n1\n")).contains("0 columns are readings"));
    let wide: Vec<String> = (0..65).map(|i| format!("c{i}")).collect();
    let text = format!("{},y\n{}1\n", wide.join(","), "1,".repeat(65));
    assert!(message(readings(&text)).contains("65 columns are readings"));
    assert!(message(Table::parse(Path::new("t.csv"), b"a,y\n1,\xff\n")).starts_with("t.csv:2: not a CSV file"));
    assert!(message(Table::read(Path::new("no/such.csv"))).starts_with("no/such.csv: cannot read"));
}

#[test]
fn labels_are_sorted_by_value_or_text() {
    let labels = |text: &str| table(text).and_then(|table| table.labels("y"));
    assert_eq!(
        labels("y\n10\n9\n10\n").unwrap(),
        (vec!["9".into(), "10".into()], vec![1, 0, 1])
    );
    assert_eq!(
        labels("y\nq\np10\n").unwrap(),
        (vec!["p10".into(), "q".into()], vec![1, 0])
    );
    assert!(message(labels("y\np\np\n")).contains("every row has the label `p`"));
    let many: String = (0..17).map(|i| format!("{i}\n")).collect();
    assert!(message(labels(&format!("y\n{many}"))).contains("17 different labels"));
    let known = ["a".to_owned(), "b".to_owned()];
    let unknown = table("y\nb\nc\n").unwrap().labels_among("y", &known);
    assert_eq!(
        message(unknown),
        "t.csv:3: column `y` holds the label `c`; the model knows: a, b"
    );
}

#[test]
fn groups_are_equal_where_all_columns_are() {
    let table = table("a,b\n1,x\n1,y\n1,x\n").unwrap();
    let both = table.groups(&["a".into(), "b".into()]).unwrap();
    assert_eq!(both, Some(vec![0, 1, 0]));
    assert_eq!(table.groups(&[]).unwrap(), None);
}

#[test]
fn an_unclosed_quotation_mark_and_other_separators_are_named() {
    let parse = |text: &str| Table::parse(Path::new("t.csv"), text.as_bytes()).unwrap();
    let label = parse("x,kind\n1,a\n2,\"b\n3,a\n4,b\n")
        .labels("kind")
        .unwrap_err()
        .to_string();
    assert!(
        label.starts_with("t.csv:3: column `kind`") && label.contains("quotation mark"),
        "{label}"
    );
    let column = parse("x;kind\n1;a\n").labels("kind").unwrap_err().to_string();
    assert_eq!(
        column,
        "t.csv:1: no column `kind`; there are: x;kind; columns must be separated by commas"
    );
}
