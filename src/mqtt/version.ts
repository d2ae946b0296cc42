/** Protocol level: 3 for MQTT 3.1, 4 for MQTT 3.1.1, and 5 for MQTT 5 (MQTT 5, 3.1.2.2). */
export type Version = 3 | 4 | 5;
